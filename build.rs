//! Tells cargo to look at the migrations, so that a new one is never left out of
//! the binary, and how to link.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=build.rs");
    // A position-independent program moves some 30,000 addresses (most of them in
    // the tables of time zones) at every start, which is half of a start's time.
    let linux = std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux");
    let gnu = std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu");
    if linux && gnu {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
