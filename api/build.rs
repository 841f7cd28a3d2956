//! Has the api built again whenever a file of the console is made, changed or removed.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=console/embedded");
}
