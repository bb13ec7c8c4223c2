//! Tells cargo to look at the migrations, so that a new one is never left out of the binary.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
