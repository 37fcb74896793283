use std::process::ExitCode;

fn main() -> ExitCode {
    paird::cli::main()
}
