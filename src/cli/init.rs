//! `lrfind init`.

use std::io::ErrorKind;

use anyhow::anyhow;
use lrfind::config;
use lrfind::report::summary;

use super::args::InitArgs;
use super::exit::Exit;
use super::output;

pub(crate) fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let name = args.path.file_stem().unwrap_or_default().to_string_lossy();
    let text = if args.command { config::command_starter(&name) } else { config::starter(&name) };
    let written =
        if args.force { output::write(&args.path, text.as_bytes()) } else { output::write_new(&args.path, text.as_bytes()) };
    match written {
        Err(error) if error.source.kind() == ErrorKind::AlreadyExists && error.path == args.path => {
            let path = args.path.display();
            Err(anyhow!("{path} exists already and is left as it is; name another file, or give --force to overwrite it"))
        }
        Err(error) => Err(error.into()),
        Ok(()) => {
            let path = args.path.display();
            let word = summary::quoted(&path.to_string());
            output::print(&format!("wrote {path}; edit it, then run\n  lrfind find {word}\n"))?;
            Ok(Exit::Done)
        }
    }
}
