//! `lrfind compare`.

use lrfind::report::comparison::{self, Comparison};

use super::args::{CompareArgs, CompareFormat};
use super::exit::Exit;
use super::output;

pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<Exit> {
    let (old, _) = output::read_report(&args.old)?;
    let (new, _) = output::read_report(&args.new)?;
    let comparison = Comparison::new(&old, &new, args.tolerance);
    output::print(&match args.format {
        CompareFormat::Text => comparison::text(&comparison),
        CompareFormat::Json => comparison.to_json()?,
        CompareFormat::Github => comparison::annotation(&comparison),
    })?;
    Ok(Exit::of_compare(&comparison, args.fail_on))
}
