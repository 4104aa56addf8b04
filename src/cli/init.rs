//! `lrfind init`.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::anyhow;
use lrfind::config;

use super::args::InitArgs;
use super::exit::Exit;
use super::output;

pub(crate) fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let text = config::starter(&name(&args.path));
    let written =
        if args.force { output::write(&args.path, text.as_bytes()) } else { output::write_new(&args.path, text.as_bytes()) };
    match written {
        Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {
            let path = args.path.display();
            Err(anyhow!("{path} exists already and is left as it is; name another file, or give --force to overwrite it"))
        }
        Err(error) => Err(error.into()),
        Ok(()) => {
            let path = args.path.display();
            output::print(&format!("wrote {path}; edit it, then run\n  lrfind find {path}\n"))?;
            Ok(Exit::Done)
        }
    }
}

/// A name for the run: the file's, with a hyphen for every character that a name may not have.
fn name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "my-run".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_named_after_the_file() {
        let named = |path| name(Path::new(path));
        assert_eq!(named("configs/digits mlp.toml"), "digits-mlp");
        assert_eq!(named("ü.toml"), "my-run");
        assert_eq!(named(".."), "my-run");
        assert_eq!(named("a.b.toml"), "a.b");
    }
}
