//! Tables for people: facts as aligned lines, grids with one rule under the headings, numbers flush right.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::{Cell, Grid, Paper, View, folded, visible, visible_lines};

/// Facts, then grids, a blank line between them.
pub(super) fn text(view: &View, paper: Paper) -> String {
    let mut blocks = Vec::new();
    if !view.facts.is_empty() {
        blocks.push(facts(&view.facts, paper));
    }
    blocks.extend(view.grids.iter().map(|grid| block(grid, paper)));
    blocks.join("\n")
}

fn facts(facts: &[(&'static str, String)], paper: Paper) -> String {
    let names = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let room = paper.width.map_or(usize::MAX, |width| {
        usize::from(width).saturating_sub(names + 2).max(20)
    });
    let mut text = String::new();
    for (name, value) in facts {
        let lines = value.lines().flat_map(|line| folded(&visible(line), room, ""));
        let lines = std::iter::once(*name).chain(std::iter::repeat("")).zip(lines);
        let mut shown = 0;
        for (name, line) in lines {
            text.push_str(format!("{name:names$}  {line}").trim_end());
            text.push('\n');
            shown += 1;
        }
        if shown == 0 {
            text.push_str(name);
            text.push('\n');
        }
    }
    text
}

fn block(grid: &Grid, paper: Paper) -> String {
    let mut text = String::new();
    if !grid.title.is_empty() {
        text.push_str(&visible(&grid.title));
        text.push('\n');
    }
    if grid.rows.is_empty() {
        text.push_str("(none)\n");
        return text;
    }
    for line in table(grid, paper).lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn table(grid: &Grid, paper: Paper) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
    if let Some(width) = paper.width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table.set_header(
        grid.headings
            .iter()
            .map(|heading| comfy_table::Cell::new(visible(heading))),
    );
    for row in &grid.rows {
        table.add_row(row.iter().map(cell));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn cell(cell: &Cell) -> comfy_table::Cell {
    match cell {
        Cell::Null => comfy_table::Cell::new(""),
        Cell::Text(text) => comfy_table::Cell::new(visible_lines(text)),
        Cell::Number(text) => comfy_table::Cell::new(visible(text)).set_alignment(CellAlignment::Right),
    }
}
