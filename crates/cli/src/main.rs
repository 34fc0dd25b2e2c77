//! The `counterweight` command.
fn main() {}
