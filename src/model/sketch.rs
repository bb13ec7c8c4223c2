//! A mergeable summary of a distribution, from which percentiles come.
//!
//! It is a base-2 exponential histogram at the fixed scale 6, on the grid of
//! OpenTelemetry's exponential histograms: bucket `i` counts the values in
//! `(2^(i/64), 2^((i+1)/64)]`. Counts are integers and a bucket follows from
//! the bits of a value and a table, so that the same values give the same
//! sketch and the same bytes on every machine, in any order and tree of merges.
//! Units, exact extremes and the store are not known here.

/// A mergeable summary of a distribution of non-negative values.
///
/// Its quantiles lie within 0.5415 % of the exact ones. Counts stop at `u64::MAX`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Values that are on no bucket of the grid; see [`Sketch::observe`].
    zeros: u64,
    /// Index and count of each bucket that is not empty, by ascending index.
    buckets: Vec<(i32, u64)>,
}

/// Why bytes are not a sketch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged sketch: {0}")]
pub struct SketchError(pub &'static str);

/// Buckets in an octave: 2^scale.
const STEPS: i32 = 64;
/// The bucket just above `f64::MIN_POSITIVE`.
const LOWEST: i32 = -1022 * STEPS;
/// The bucket of `f64::MAX`.
const HIGHEST: i32 = 1024 * STEPS - 1;
/// Bits of a float's mantissa, and what its exponent is stored with.
const MANTISSA_BITS: u32 = 52;
const EXPONENT_BIAS: i32 = 1023;
/// In the head of the bytes: a count of zeros follows. The other bits are free for later versions.
const HAS_ZEROS: u8 = 1;

impl Sketch {
    /// Forgets all values, but keeps the room they took.
    pub fn clear(&mut self) {
        self.zeros = 0;
        self.buckets.clear();
    }

    /// Adds one value.
    ///
    /// What has no place on the grid counts as zero: values up to
    /// `f64::MIN_POSITIVE`, negative ones and NaN. Infinity counts as `f64::MAX`.
    pub fn observe(&mut self, value: f64) {
        if value > f64::MIN_POSITIVE {
            self.count_in(bucket_of(value.min(f64::MAX)));
        } else {
            self.zeros = self.zeros.saturating_add(1);
        }
    }

    fn count_in(&mut self, index: i32) {
        match self.buckets.binary_search_by_key(&index, |b| b.0) {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(1),
            Err(at) => self.buckets.insert(at, (index, 1)),
        }
    }

    /// Adds all values of another sketch.
    pub fn merge(&mut self, other: &Sketch) {
        let known = self.buckets.len();
        self.zeros = self.zeros.saturating_add(other.zeros);
        self.buckets.extend_from_slice(&other.buckets);
        self.settle(known);
    }

    /// Brings buckets that were appended after the first `known` ones, in order,
    /// to their places. When many small sketches are merged into one, nearly all
    /// their buckets are there already, and nothing moves.
    fn settle(&mut self, known: usize) {
        let (old, appended) = self.buckets.split_at_mut(known);
        let (mut at, mut new) = (0, 0);
        for next in 0..appended.len() {
            let (index, count) = appended[next];
            at += old[at..].partition_point(|b| b.0 < index);
            match old.get_mut(at) {
                Some(same) if same.0 == index => same.1 = same.1.saturating_add(count),
                _ => {
                    appended[new] = (index, count);
                    new += 1;
                }
            }
        }
        self.buckets.truncate(known + new);
        if known > 0 && new > 0 {
            // The stable sort sees two ascending runs and merges them in one pass.
            self.buckets.sort_by_key(|b| b.0);
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        u64::try_from(self.total()).unwrap_or(u64::MAX)
    }

    fn total(&self) -> u128 {
        let counts = self.buckets.iter().map(|b| u128::from(b.1));
        u128::from(self.zeros) + counts.sum::<u128>()
    }

    /// The q-quantile as SQL's `PERCENTILE_DISC` has it: the smallest value whose
    /// cumulative share is at least `q`, that is the one of rank ⌈q·n⌉ and at
    /// least 1; within 0.5415 %. `None` when there is no value.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let rank = rank(q, total);
        let mut seen = u128::from(self.zeros);
        if rank <= seen {
            return Some(0.0);
        }
        let holds_rank = |b: &&(i32, u64)| {
            seen += u128::from(b.1);
            rank <= seen
        };
        self.buckets.iter().find(holds_rank).map(|b| middle_of(b.0))
    }

    /// Appends the canonical bytes: a head, the count of zeros if there are any,
    /// then for each bucket its distance from the one before (for the first its
    /// zigzag index) and its count, all as LEB128 varints. They end where the slice ends.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.zeros > 0 {
            out.push(HAS_ZEROS);
            write_varint(out, self.zeros);
        } else {
            out.push(0);
        }
        let mut before = None;
        for &(index, count) in &self.buckets {
            write_varint(out, step_to(index, before));
            write_varint(out, count);
            before = Some(index);
        }
    }

    /// The sketch of these bytes.
    ///
    /// # Errors
    /// When the bytes are not a canonical sketch.
    pub fn from_bytes(bytes: &[u8]) -> Result<Sketch, SketchError> {
        let mut sketch = Sketch::default();
        sketch.merge_bytes(bytes)?;
        Ok(sketch)
    }

    /// Adds the values of a written sketch without building it first.
    ///
    /// # Errors
    /// When the bytes are not a canonical sketch; nothing is added then.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), SketchError> {
        let known = self.buckets.len();
        match self.append(bytes) {
            Ok(zeros) => {
                self.zeros = self.zeros.saturating_add(zeros);
                self.settle(known);
                Ok(())
            }
            Err(error) => {
                self.buckets.truncate(known);
                Err(error)
            }
        }
    }

    /// Appends the buckets as they are written and returns the count of zeros.
    fn append(&mut self, mut bytes: &[u8]) -> Result<u64, SketchError> {
        let zeros = read_head(&mut bytes)?;
        // A bucket takes two bytes or more.
        self.buckets.reserve(bytes.len() / 2);
        let mut before = None;
        while !bytes.is_empty() {
            let index = index_after(before, read_varint(&mut bytes)?)?;
            self.buckets.push((index, read_count(&mut bytes)?));
            before = Some(index);
        }
        Ok(zeros)
    }
}

/// The rank of the q-quantile among `total` values, from 1 to `total`.
///
/// `q` is read as a decimal number of nine places: the float nearest to 0.07
/// lies above it, and its product with 100 would round up to rank 8.
fn rank(q: f64, total: u128) -> u128 {
    const WHOLE: u128 = 1_000_000_000;
    let billionths = (q.clamp(0.0, 1.0) * WHOLE as f64).round() as u128;
    (billionths * total).div_ceil(WHOLE).max(1)
}

/// The bucket of a finite value above `f64::MIN_POSITIVE`.
fn bucket_of(value: f64) -> i32 {
    let bits = value.to_bits();
    let exponent = (bits >> MANTISSA_BITS) as i32 - EXPONENT_BIAS;
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    // A power of two is above no boundary of its octave and falls into the bucket below.
    let boundaries_below = BOUNDARIES.partition_point(|&b| b < mantissa) as i32;
    exponent * STEPS + boundaries_below - 1
}

/// The harmonic mean of a bucket's ends, which differs from no value of the
/// bucket by more than (r-1)/(r+1) = 0.5415 %, where r = 2^(1/64).
fn middle_of(index: i32) -> f64 {
    let step = index.rem_euclid(STEPS) as usize;
    let low = float(0, BOUNDARIES[step]);
    let high = BOUNDARIES.get(step + 1).map_or(2.0, |&b| float(0, b));
    2.0 * low * high / (low + high) * float(index.div_euclid(STEPS), 0)
}

/// The number 2^exponent · (1 + mantissa / 2^52).
fn float(exponent: i32, mantissa: u64) -> f64 {
    f64::from_bits(((exponent + EXPONENT_BIAS) as u64) << MANTISSA_BITS | mantissa)
}

fn step_to(index: i32, before: Option<i32>) -> u64 {
    match before {
        Some(before) => index.abs_diff(before).into(),
        None => ((index << 1) ^ (index >> 31)) as u32 as u64,
    }
}

fn index_after(before: Option<i32>, step: u64) -> Result<i32, SketchError> {
    let step = i64::try_from(step).map_err(|_| SketchError("index out of range"))?;
    let index = match before {
        Some(_) if step == 0 => return Err(SketchError("a bucket twice")),
        Some(before) => step.saturating_add(before.into()),
        None => (step >> 1) ^ -(step & 1),
    };
    match i32::try_from(index) {
        Ok(index) if (LOWEST..=HIGHEST).contains(&index) => Ok(index),
        _ => Err(SketchError("index out of range")),
    }
}

/// Reads the head and returns the count of zeros.
fn read_head(bytes: &mut &[u8]) -> Result<u64, SketchError> {
    match bytes.split_off_first() {
        None => Err(SketchError("no bytes")),
        Some(0) => Ok(0),
        Some(&HAS_ZEROS) => read_count(bytes),
        Some(_) => Err(SketchError("unknown version")),
    }
}

fn read_count(bytes: &mut &[u8]) -> Result<u64, SketchError> {
    match read_varint(bytes)? {
        0 => Err(SketchError("a count of nothing")),
        count => Ok(count),
    }
}

fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads a number in its shortest form; any other form would give one sketch two spellings.
fn read_varint(bytes: &mut &[u8]) -> Result<u64, SketchError> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let &byte = bytes.split_off_first().ok_or(SketchError("cut off"))?;
        let digits = u64::from(byte & 0x7f);
        if digits << shift >> shift != digits {
            return Err(SketchError("number out of range"));
        }
        number |= digits << shift;
        if byte < 0x80 {
            let shortest = byte != 0 || shift == 0;
            return shortest
                .then_some(number)
                .ok_or(SketchError("number padded"));
        }
    }
    Err(SketchError("number out of range"))
}

/// The mantissa bits of 2^(k/64), rounded down. The true boundaries beyond the
/// first are irrational, so a float lies above one exactly when its mantissa does.
#[rustfmt::skip]
const BOUNDARIES: [u64; STEPS as usize] = [
    0x000_00000_00000, 0x02c_9a3e7_78060, 0x059_b0d31_58574, 0x087_45187_59bc8,
    0x0b5_586cf_9890f, 0x0e3_ec32d_3d1a2, 0x113_01d01_25b50, 0x142_9aaea_92ddf,
    0x172_b83c7_d517a, 0x1a3_5beb6_fcb75, 0x1d4_87316_8b9aa, 0x206_3b886_28cd6,
    0x238_7a6e7_56238, 0x26b_4565e_27cdd, 0x29e_9df51_fdee1, 0x2d2_85a6e_4030b,
    0x306_fe0a3_1b715, 0x33c_08b26_416ff, 0x371_a7373_aa9ca, 0x3a7_db34e_59ff6,
    0x3de_a64c1_23422, 0x416_0a21f_72e29, 0x44e_08606_1892d, 0x486_a2b5c_13cd0,
    0x4bf_dad53_62a27, 0x4f9_b2769_d2ca6, 0x534_2b569_d4f81, 0x56f_4736b_527da,
    0x5ab_07dd4_85429, 0x5e7_6f15a_d2148, 0x624_7eb03_a5584, 0x662_38825_52224,
    0x6a0_9e667_f3bcc, 0x6df_b23c6_51a2e, 0x71f_75e8e_c5f73, 0x75f_eb564_267c8,
    0x7a1_1473e_b0186, 0x7e2_f336c_f4e62, 0x825_89994_cce12, 0x868_d99b4_492ec,
    0x8ac_e5422_aa0db, 0x8f1_ae991_57736, 0x937_37b0c_dc5e4, 0x97d_829fd_e4e4f,
    0x9c4_9182a_3f090, 0xa0c_667b5_de564, 0xa55_03b23_e255c, 0xa9e_6b557_9fdbf,
    0xae8_9f995_ad3ad, 0xb33_a2b84_f15fa, 0xb7f_76f2f_b5e46, 0xbcc_1e904_bc1d2,
    0xc19_9bdd8_5529c, 0xc67_f12e5_7d14b, 0xcb7_20dce_f9069, 0xd07_2d4a0_7897b,
    0xd58_18dcf_ba487, 0xda9_e603d_b3285, 0xdfc_97337_b9b5e, 0xe50_2ee78_b3ff6,
    0xea4_afa2a_490d9, 0xefa_1bee6_15a27, 0xf50_765b6_e4540, 0xfa7_c1819_e90d8,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, LogNormal};

    use super::*;

    fn sketch(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().for_each(|&v| sketch.observe(v));
        sketch
    }

    fn bytes(sketch: &Sketch) -> Vec<u8> {
        let mut out = Vec::new();
        sketch.write(&mut out);
        out
    }

    #[test]
    fn a_value_falls_into_the_bucket_that_opentelemetry_gives_it() {
        for (value, index) in [
            (1.0, -1),
            (1.0 + f64::EPSILON, 0),
            (2.0, 63),
            (2.0 + 2.0 * f64::EPSILON, 64),
            (4.0, 127),
            (0.5, -65),
            (1024.0, 639),
            // The floats on both sides of 2^(1/64) and of the square root of two.
            (1.010_889_286_051_700_3, 0),
            (1.010_889_286_051_700_5, 1),
            (std::f64::consts::SQRT_2, 32),
            (std::f64::consts::SQRT_2.next_down(), 31),
            (f64::MIN_POSITIVE.next_up(), LOWEST),
            (f64::MAX, HIGHEST),
        ] {
            assert_eq!(sketch(&[value]).buckets, [(index, 1)], "{value:e}");
        }
    }

    /// x^64 as 32-bit digits, lowest first.
    fn power_of_64(x: u64) -> Vec<u32> {
        let mut power = vec![x as u32, (x >> 32) as u32];
        for _ in 0..6 {
            let mut square = vec![0_u32; 2 * power.len()];
            for (i, &a) in power.iter().enumerate() {
                let mut carry = 0;
                for (j, &b) in power.iter().enumerate() {
                    carry += u64::from(a) * u64::from(b) + u64::from(square[i + j]);
                    square[i + j] = carry as u32;
                    carry >>= 32;
                }
                square[i + power.len()] = carry as u32;
            }
            power = square;
        }
        power
    }

    fn bit_length(digits: &[u32]) -> u32 {
        let leading = digits.iter().rev().take_while(|&&d| d == 0).count();
        let top = digits[digits.len() - 1 - leading];
        32 * (digits.len() - leading) as u32 - top.leading_zeros()
    }

    #[test]
    fn the_boundaries_are_powers_of_two_rounded_down() {
        assert_eq!(BOUNDARIES[0], 0);
        for (k, boundary) in BOUNDARIES.iter().enumerate().skip(1) {
            // Both sides of below < 2^(k/64) · 2^52 < below + 1, to the power of 64.
            let below = (1 << MANTISSA_BITS) + boundary;
            let exponent = k as u32 + 52 * 64;
            assert!(bit_length(&power_of_64(below)) <= exponent, "{k}");
            assert!(bit_length(&power_of_64(below + 1)) > exponent, "{k}");
        }
    }

    #[test]
    fn the_rank_is_that_of_the_decimal_number_that_was_written() {
        for (q, total, expected) in [
            (0.95, 100, 95),
            (0.07, 100, 7),
            (0.29, 100, 29),
            (0.99, 1_000_000_000_000, 990_000_000_000),
            (0.5, 3, 2),
            (0.0, 10, 1),
            (1.0, 10, 10),
            (-1.0, 10, 1),
            (2.0, 10, 10),
            (f64::NAN, 10, 1),
        ] {
            assert_eq!(rank(q, total), expected, "{q} of {total}");
        }
    }

    #[test]
    fn what_is_not_a_positive_number_counts_as_zero() {
        let odd = [
            0.0,
            -0.0,
            -5.0,
            f64::NAN,
            f64::NEG_INFINITY,
            5e-324,
            f64::MIN_POSITIVE,
        ];
        let zeros = sketch(&odd);
        assert_eq!((zeros.count(), zeros.quantile(0.99)), (7, Some(0.0)));
        assert_eq!(sketch(&[f64::INFINITY]), sketch(&[f64::MAX]));
        assert_eq!(Sketch::default().quantile(0.5), None);
    }

    #[test]
    fn zeros_come_before_all_other_values() {
        let mixed = sketch(&[0.0, 100.0, 0.0, 100.0]);
        assert_eq!(mixed.quantile(0.5), Some(0.0));
        assert!((mixed.quantile(0.51).unwrap() - 100.0).abs() < 0.55);
    }

    #[test]
    fn the_bytes_are_small() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let latency = LogNormal::new(800_f64.ln(), 0.5).unwrap();
        for (values, limit) in [
            (0, 1),
            (1, 4),
            (10, 25),
            (100, 175),
            (1_000, 499),
            (1_000_000, 1_100),
        ] {
            let mut sketch = Sketch::default();
            (0..values).for_each(|_| sketch.observe(latency.sample(&mut rng)));
            let size = bytes(&sketch).len();
            assert!(size <= limit, "{values} values take {size} bytes");
        }
    }

    #[test]
    fn the_bytes_do_not_change_from_one_version_to_the_next() {
        let mixed = sketch(&[0.0, 1.0, 1.5, 1.5, 1_000.0]);
        assert_eq!(bytes(&mixed), [1, 1, 1, 1, 38, 2, 0xd8, 4, 1]);
        assert_eq!(bytes(&Sketch::default()), [0]);
    }

    #[test]
    fn bytes_that_are_not_canonical_are_refused_and_change_nothing() {
        let before = sketch(&[0.0, 3.0, 250.0]);
        for (bytes, reason) in [
            (&[][..], "no bytes"),
            (&[2], "unknown version"),
            (&[1], "cut off"),
            (&[1, 0], "a count of nothing"),
            (&[0, 4], "cut off"),
            (&[0, 4, 0], "a count of nothing"),
            (&[0, 4, 1, 0, 1], "a bucket twice"),
            (&[0, 4, 1, 3, 0x81], "cut off"),
            (&[0, 4, 0x81, 0], "number padded"),
            (
                &[
                    0, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
                ],
                "number out of range",
            ),
            (
                &[
                    0, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0,
                ],
                "number out of range",
            ),
            (&[0, 0x80, 0x80, 8, 1], "index out of range"),
            (
                &[
                    0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1,
                ],
                "index out of range",
            ),
        ] {
            let mut after = before.clone();
            assert_eq!(
                after.merge_bytes(bytes),
                Err(SketchError(reason)),
                "{bytes:?}"
            );
            assert_eq!(after, before, "{bytes:?}");
        }
    }

    #[test]
    fn counts_stop_at_the_largest_number_instead_of_overflowing() {
        let mut full = Sketch {
            zeros: u64::MAX,
            buckets: vec![(5, u64::MAX), (9, 1)],
        };
        full.merge(&full.clone());
        full.observe(0.0);
        assert_eq!(full.buckets, [(5, u64::MAX), (9, 2)]);
        assert_eq!(full.count(), u64::MAX);
        assert_eq!(full.quantile(1.0), Some(middle_of(9)));
        assert_eq!(Sketch::from_bytes(&bytes(&full)), Ok(full));
    }

    /// Zero, or a latency from a microsecond to a day in milliseconds, as likely in each decade.
    fn value() -> impl Strategy<Value = f64> {
        let days = 86_400_000_f64;
        prop_oneof![
            1 => Just(0.0),
            19 => (1e-3_f64.ln()..days.ln()).prop_map(f64::exp),
        ]
    }

    fn values(most: usize) -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(value(), 0..most)
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_the_promise(mut values in values(400), q in 0_usize..=1_000) {
            let estimate = sketch(&values).quantile(q as f64 / 1_000.0);
            values.sort_by(f64::total_cmp);
            let rank = (q * values.len()).div_ceil(1_000).max(1);
            match (estimate, values.get(rank - 1)) {
                (Some(estimate), Some(exact)) => {
                    let off = (estimate - exact).abs();
                    prop_assert!(off <= 0.0055 * exact, "{estimate} for {exact}");
                }
                (estimate, exact) => prop_assert_eq!(estimate, exact.copied()),
            }
        }

        #[test]
        fn order_and_tree_of_merges_leave_no_trace(
            parts in prop::collection::vec(values(12), 1..30),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 60),
        ) {
            let mut backwards = parts.concat();
            backwards.reverse();
            let whole = sketch(&backwards);
            let mut forest: Vec<Sketch> = parts.iter().map(|p| sketch(p)).collect();
            let mut picks = picks.iter();
            while forest.len() > 1 {
                let tree = forest.swap_remove(picks.next().unwrap().index(forest.len()));
                let other = picks.next().unwrap().index(forest.len());
                forest[other].merge(&tree);
            }
            prop_assert_eq!(bytes(&forest[0]), bytes(&whole));
        }

        #[test]
        fn written_sketches_merge_as_the_sketches_do(a in values(200), b in values(20)) {
            let (mut one, mut other) = (sketch(&a), sketch(&a));
            one.merge(&sketch(&b));
            prop_assert_eq!(other.merge_bytes(&bytes(&sketch(&b))), Ok(()));
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(one.count(), (a.len() + b.len()) as u64);
            prop_assert_eq!(Sketch::from_bytes(&bytes(&one)), Ok(one));
        }

        #[test]
        fn any_bytes_are_refused_or_canonical(
            head in 0_u8..3,
            tail in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..24),
        ) {
            let given = [vec![head], tail].concat();
            if let Ok(sketch) = Sketch::from_bytes(&given) {
                prop_assert_eq!(bytes(&sketch), given);
            }
        }

        #[test]
        fn any_float_has_a_place(value in any::<f64>()) {
            let sketch = sketch(&[value]);
            prop_assert_eq!(sketch.count(), 1);
            prop_assert_eq!(Sketch::from_bytes(&bytes(&sketch)), Ok(sketch));
        }
    }
}
