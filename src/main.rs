//! The lrfind command.

fn main() {}
