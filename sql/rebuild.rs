//! Builds the crate again when a migration comes or changes: they are part of it, and the macro that
//! puts them there does not tell cargo of the folder.

#![expect(clippy::print_stdout, reason = "cargo reads it")]

fn main() {
    println!("cargo::rerun-if-changed=sql/migrations");
}
