#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use super::decode::decode;
use super::set::lanes_apart;
use super::*;

const KEY: [u8; 32] = [42; 32];

fn shape(capacity: u32) -> SketchShape {
    capacity.try_into().unwrap()
}

/// xorshift64*: a stream that needs no library.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % u64::from(bound)) as u32
    }

    fn set(&mut self, size: usize, bound: u32) -> BTreeSet<u32> {
        let mut set = BTreeSet::new();
        while set.len() < size {
            set.insert(self.below(bound));
        }
        set
    }
}

fn sketched(sketcher: &Sketcher, units: &BTreeSet<u32>) -> UnitSet {
    let mut set = UnitSet::empty(sketcher.shape());
    units.iter().for_each(|unit| set.add(&sketcher.vector(*unit)));
    set
}

fn expected(a: &BTreeSet<u32>, b: &BTreeSet<u32>, limit: u32) -> Distance {
    match u32::try_from(a.symmetric_difference(b).count()).unwrap() {
        0 => Distance::Same,
        apart if apart < limit => Distance::Near(apart),
        _ => Distance::Far,
    }
}

#[test]
fn a_vector_is_the_odd_powers_of_the_element() {
    let vector = Sketcher::new(&KEY, shape(5)).vector(9);
    let sums = vector.words().split_at(6).1;
    let element = sums.first().copied().unwrap();
    let mut power = element;
    for sum in sums {
        assert_eq!(*sum, power);
        power = field::multiply(field::multiply(power, element), element);
    }
}

#[test]
fn all_pairs_of_subsets_of_a_small_world_have_their_distance() {
    // 2^7 subsets with each other, capacities from too small to ample.
    let people = 7;
    let subsets: Vec<BTreeSet<u32>> = (0..1_u32 << people)
        .map(|bits| (0..people).filter(|unit| bits >> unit & 1 == 1).collect())
        .collect();
    for (capacity, limit) in [(1, 2), (2, 3), (3, 4), (4, 3), (8, 7)] {
        let sketcher = Sketcher::new(&KEY, shape(capacity));
        let sketches: Vec<UnitSet> = subsets.iter().map(|units| sketched(&sketcher, units)).collect();
        for (a, sketch_a) in subsets.iter().zip(&sketches) {
            for (b, sketch_b) in subsets.iter().zip(&sketches) {
                let distance = sketcher.distance(sketch_a, sketch_b, limit);
                assert_eq!(
                    distance,
                    expected(a, b, limit),
                    "{a:?} {b:?}, capacity {capacity}"
                );
            }
        }
    }
}

#[test]
fn differences_up_to_the_capacity_decode_to_their_elements_and_larger_ones_are_refused() {
    let mut draw = Draw(11);
    for capacity in [1, 2, 3, 10, 20, 32] {
        let sketcher = Sketcher::new(&KEY, shape(capacity));
        for size in 0..=(capacity as usize + 4) {
            let units = draw.set(size, u32::MAX);
            let set = sketched(&sketcher, &units);
            let elements: BTreeSet<u64> = units
                .iter()
                .filter_map(|unit| sketcher.vector(*unit).words().get(6).copied())
                .collect();
            let decoded = decode(set.sums(), capacity as usize);
            if size <= capacity as usize {
                let decoded: BTreeSet<u64> = decoded.unwrap().into_iter().collect();
                assert_eq!(decoded, elements, "{size} of {capacity}");
            } else if let Some(wrong) = decoded {
                // Possible, and told apart by hash and count only.
                assert_ne!(wrong.into_iter().collect::<BTreeSet<_>>(), elements);
            }
            let nobody = UnitSet::empty(sketcher.shape());
            let limit = capacity + 1;
            let distance = sketcher.distance(&set, &nobody, limit);
            assert_eq!(
                distance,
                expected(&units, &BTreeSet::new(), limit),
                "{size} of {capacity}"
            );
        }
    }
}

#[test]
fn random_pairs_near_and_far_have_their_distance() {
    let sketcher = Sketcher::new(&KEY, shape(20));
    let mut draw = Draw(5);
    for round in 0..400 {
        let size = [1, 9, 10, 11, 30, 500].into_iter().cycle().nth(round).unwrap();
        let a = draw.set(size, 1_000_000);
        let mut b = a.clone();
        for _ in 0..draw.below(14) {
            // In or out.
            let victim = if draw.below(2) == 0 {
                draw.below(1_000_000)
            } else {
                let nth = draw.below(u32::try_from(size).unwrap()) as usize;
                a.iter().nth(nth).copied().unwrap()
            };
            if !b.remove(&victim) {
                b.insert(victim);
            }
        }
        let distance = sketcher.distance(&sketched(&sketcher, &a), &sketched(&sketcher, &b), 10);
        assert_eq!(distance, expected(&a, &b, 10), "round {round}");
    }
}

#[test]
fn a_decoding_that_hash_or_count_deny_does_not_count() {
    let sketcher = Sketcher::new(&KEY, shape(4));
    let a = sketched(&sketcher, &BTreeSet::from([1, 2, 3]));
    let nobody = UnitSet::empty(sketcher.shape());
    assert_eq!(sketcher.distance(&a, &nobody, 4), Distance::Near(3));
    // The hash of other people over the sums of these.
    let mut words = a.words().to_vec();
    words.iter_mut().take(1).for_each(|word| *word ^= 1);
    let other_hash = UnitSet::new(3, words).unwrap();
    assert_eq!(sketcher.distance(&other_hash, &nobody, 4), Distance::Far);
    // A count of another parity, and one that three people cannot make up for.
    for units in [2, 4] {
        let other_count = UnitSet::new(units, a.words().to_vec()).unwrap();
        assert_eq!(
            sketcher.distance(&other_count, &nobody, 5),
            Distance::Far,
            "{units}"
        );
    }
}

#[test]
fn sketches_too_small_for_the_question_say_so() {
    let small = Sketcher::new(&KEY, shape(2));
    let large = Sketcher::new(&KEY, shape(20));
    let units: BTreeSet<u32> = (0..50).collect();
    let fewer: BTreeSet<u32> = (0..45).collect();
    let (short, long) = (sketched(&small, &units), sketched(&large, &fewer));
    assert_eq!(large.distance(&short, &long, 10), Distance::Unknown);
    let one_fewer: BTreeSet<u32> = (0..49).collect();
    assert_eq!(
        large.distance(&short, &sketched(&large, &one_fewer), 10),
        Distance::Near(1)
    );
    assert_eq!(
        large.distance(&sketched(&large, &units), &long, 10),
        Distance::Near(5)
    );
}

#[test]
fn different_keys_disagree() {
    let (one, other) = (Sketcher::new(&KEY, shape(6)), Sketcher::new(&[43; 32], shape(6)));
    let units = BTreeSet::from([1, 2, 3, 4, 5]);
    let (a, b) = (sketched(&one, &units), sketched(&other, &units));
    assert_ne!(a.hash(), b.hash());
    assert_eq!(one.distance(&a, &b, 7), Distance::Far);
    assert_eq!(format!("{one:?}"), "Sketcher(secret, SketchShape(6))");
}

#[test]
fn lanes_count_bytes_that_differ() {
    assert_eq!(lanes_apart(&[0; 4], &[0; 4]), 0);
    assert_eq!(lanes_apart(&[0, u64::MAX], &[0x80_00_01, 0]), 10);
    for byte in 0..=255_u64 {
        let lanes = lanes_apart(&[byte << 24, 0], &[0, 0]);
        assert_eq!(lanes, u32::from(byte != 0), "{byte}");
    }
}

#[test]
fn shapes_are_checked() {
    assert_eq!(SketchShape::for_minimum(10).capacity(), 20);
    assert_eq!(SketchShape::for_minimum(1_000_000).capacity(), MAX_CAPACITY);
    assert!(SketchShape::try_from(0).is_err() && SketchShape::try_from(33).is_err());
    assert!(UnitSet::new(1, vec![0; 6]).is_none() && UnitSet::new(1, vec![0; 7]).is_some());
}
