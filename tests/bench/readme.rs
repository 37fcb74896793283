//! The table of tests/bench/README.md, generated.

use super::figures::Figures;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/README.md");
const BEGIN: &str = "<!-- figures: written by `make bench`; don't edit -->\n";
const END: &str = "<!-- end of figures -->\n";

pub fn write(figures: &Figures) {
    let readme = std::fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("README.md has a place for the figures");
    let (_, after) = rest.split_once(END).expect("the place for the figures ends");
    let machine = &figures.machine;
    let written = format!(
        "{before}{BEGIN}\n{}, {} cores, {} GiB, Linux {}, {}; everything on that machine.\n\n{}\n{END}{after}",
        machine.processor,
        machine.cores,
        machine.memory_gib,
        machine.kernel,
        machine.day,
        figures.table()
    );
    std::fs::write(README, written).unwrap();
}
