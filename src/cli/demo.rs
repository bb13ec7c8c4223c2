//! `obs demo`: the main job, told with a simulated week.

mod fleet;
mod line;
mod week;
