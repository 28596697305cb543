//! CSV as RFC 4180 has it, lines ended by LF. NULL is an empty field, empty text is `""`, as in holders' files.

use super::{Cell, View};

/// The first grid of the view, or its facts as two columns.
pub(super) fn text(view: &View) -> String {
    let mut out = String::new();
    match view.grids.first() {
        Some(grid) => {
            line(&mut out, grid.headings.iter().map(|heading| field(heading)));
            for row in &grid.rows {
                line(&mut out, row.iter().map(cell));
            }
        }
        None => {
            out.push_str("field,value\n");
            for (name, value) in &view.facts {
                line(&mut out, [field(name), field(value)].into_iter());
            }
        }
    }
    out
}

fn line(out: &mut String, fields: impl Iterator<Item = String>) {
    out.push_str(&fields.collect::<Vec<_>>().join(","));
    out.push('\n');
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) | Cell::Number(text) => field(text),
    }
}

fn field(text: &str) -> String {
    let plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']);
    if plain {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grid;
    use super::*;

    #[test]
    fn null_and_empty_text_differ() {
        let row = vec![
            Cell::Null,
            Cell::text(""),
            Cell::text("say \"x\""),
            Cell::number(-1),
        ];
        let view = View::grid(Grid::new(&["a", "b", "c", "d"], vec![row]));
        assert_eq!(text(&view), "a,b,c,d\n,\"\",\"say \"\"x\"\"\",-1\n");
    }

    #[test]
    fn facts_stand_in_for_a_missing_grid() {
        let view = View {
            facts: vec![("entries", "12".to_owned())],
            grids: Vec::new(),
        };
        assert_eq!(text(&view), "field,value\nentries,12\n");
    }
}
