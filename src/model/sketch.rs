//! stub, replaced by the real sketch
/// A mergeable summary of a distribution of non-negative values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {}

/// Why bytes are not a sketch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged sketch: {0}")]
pub struct SketchError(pub &'static str);

impl Sketch {
    /// Adds one value.
    pub fn observe(&mut self, _value: f64) {}
    /// Adds all values of another sketch.
    pub fn merge(&mut self, _other: &Sketch) {}
    /// Number of values.
    pub fn count(&self) -> u64 {
        0
    }
    /// The q-quantile.
    pub fn quantile(&self, _q: f64) -> Option<f64> {
        None
    }
    /// Appends the canonical bytes.
    pub fn write(&self, _out: &mut Vec<u8>) {}
    /// Adds the values of a written sketch without building it first.
    ///
    /// # Errors
    /// When the bytes are not a canonical sketch.
    pub fn merge_bytes(&mut self, _bytes: &[u8]) -> Result<(), SketchError> {
        Ok(())
    }
}
