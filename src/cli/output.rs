//! Files written whole or not at all, and text printed to a reader who may have gone.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lrfind::error::FileError;
use lrfind::files;
use lrfind::report::plots::{Plot, PlotError};
use lrfind::report::{Report, json};
use tempfile::NamedTempFile;

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    move |source| FileError { action, path: path.to_owned(), source }
}

/// Prints to standard output. A reader that closed the pipe has had enough, which is no error.
pub(crate) fn print(text: &str) -> Result<(), FileError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed("write to", Path::new("standard output"))(error)),
        _ => Ok(()),
    }
}

/// Prints a line to standard error. Where even that fails there is nobody left to tell.
pub(crate) fn note(line: &str) {
    // In one piece, so that lines of two processes do not mix.
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Whether to colour what goes to `stream`: terminals only, and not where NO_COLOR is set or the terminal is a dumb one.
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").as_deref() != Some(OsStr::new("dumb"))
}

/// Makes the folder `dir` and proves that files can be written there.
pub(crate) fn prepare(dir: &Path) -> Result<(), FileError> {
    fs::create_dir_all(dir).map_err(failed("create the folder", dir))?;
    temporary(dir)
        .and_then(|mut file| file.write_all(b"lrfind").and_then(|()| file.close()))
        .map_err(failed("write to the folder", dir))
}

/// Makes the folder of the file `path` and proves that the file can be written there.
pub(crate) fn prepare_file(path: &Path) -> Result<(), FileError> {
    if is_special(path) {
        return Ok(());
    }
    if path.is_dir() {
        return Err(failed("write", path)(io::ErrorKind::IsADirectory.into()));
    }
    prepare(folder_of(path))
}

/// Whether `path` is a device or a pipe, which is written to and not replaced by a file.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes `bytes` to `path`: the file appears whole, or stays as it was. Overwrites.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if is_special(path) {
        return fs::write(path, bytes).map_err(failed("write", path));
    }
    let file = filled(path, bytes)?;
    file.persist(path).map(drop).map_err(|e| failed("write", path)(e.error))
}

/// As [`write()`], but never overwrites: an existing file is an error of kind `AlreadyExists`.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let file = filled(path, bytes)?;
    file.persist_noclobber(path).map(drop).map_err(|e| failed("write", path)(e.error))
}

/// A temporary file beside `path` with `bytes` safely on the disk; makes the folder if need be.
fn filled(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, FileError> {
    let dir = folder_of(path);
    fs::create_dir_all(dir).map_err(failed("create the folder", dir))?;
    let fill = |mut file: NamedTempFile| {
        file.write_all(bytes)?;
        file.flush()?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    temporary(dir).and_then(fill).map_err(failed("write", path))
}

/// A temporary file with the permissions of any new file, not private as temporary files are: it will be the real one.
fn temporary(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lrfind-");
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(dir)
}

/// Writes the data into the file `name` of the folder `dir`, then the plots that were drawn of them. What was written comes back even
/// where a later file fails, so that the answer can be shown before the error.
pub(crate) fn save(
    dir: &Path,
    name: &str,
    data: &str,
    drawn: Result<Vec<Plot>, PlotError>,
) -> (Vec<PathBuf>, anyhow::Result<()>) {
    let mut files = Vec::new();
    let save = || {
        let path = dir.join(name);
        write(&path, data.as_bytes())?;
        files.push(path);
        files.extend(write_plots(&drawn.context("cannot draw the plots; the data are written")?, dir)?);
        Ok(())
    };
    let result = save();
    (files, result)
}

/// As [`save`], of a report and its plots.
pub(crate) fn save_report(
    report: &Report,
    drawn: Result<Vec<Plot>, PlotError>,
    dir: &Path,
) -> (Vec<PathBuf>, anyhow::Result<()>) {
    match json::render(report) {
        Ok(data) => {
            let old = fs::read_to_string(dir.join(files::REPORT)).ok().filter(|old| *old != data);
            let saved = save(dir, files::REPORT, &data, drawn);
            if let Some(old) = old.and_then(|old| json::read(&old).ok()) {
                settle_replaced(&old, report, dir);
            }
            saved
        }
        Err(error) => (Vec::new(), Err(error.into())),
    }
}

/// Says what becomes of what the `old` report left in the folder now that `report` has taken its place.
fn settle_replaced(old: &Report, report: &Report, dir: &Path) {
    if old.schedule.is_some() && report.schedule.is_none() {
        // Its plot would be taken for this report's. That it is not there is no error.
        let _ = fs::remove_file(dir.join(files::SCHEDULE));
    }
    let verification = dir.join(files::VERIFICATION);
    if verification.exists() {
        note(&format!("{} is about the report that this one replaces: run `lrfind verify` again", verification.display()));
    }
    let command = |report: &Report| match report {
        Report { curves: Some(_), .. } => "analyze",
        Report { check: Some(_), .. } => "check",
        _ => "find",
    };
    let (before, now) = (command(old), command(report));
    if before != now {
        let path = dir.join(files::REPORT).display().to_string();
        note(&format!("{path} was a report of `lrfind {before}` and is one of `lrfind {now}` now: give --out to keep both"));
    }
}

/// Writes the plots into `dir` and returns their paths.
pub(crate) fn write_plots(plots: &[Plot], dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    plots
        .iter()
        .map(|plot| {
            let path = dir.join(plot.file_name);
            write(&path, &plot.png).map(|()| path)
        })
        .collect()
}

/// Whether the folder `dir` holds a report.
pub(crate) fn has_report(dir: &Path) -> bool {
    dir.join(files::REPORT).exists()
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(failed("read", path))
}

/// Reads a report from its file or its folder; returns the file's path too.
pub(crate) fn read_report(path: &Path) -> anyhow::Result<(Report, PathBuf)> {
    let path = if path.is_dir() { path.join(files::REPORT) } else { path.to_owned() };
    let bytes = read(&path)?;
    let report = json::read(&String::from_utf8_lossy(&bytes)).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?;
    Ok((report, path))
}

/// Appends `text` to the file at `path`, as GitHub's step summary wants it.
pub(crate) fn append(path: &Path, text: &str) -> Result<(), FileError> {
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(failed("append to", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn writes_replaces_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.json");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(&dir.path().join("a")), ["b.json"]);
    }

    #[test]
    fn never_overwrites_unless_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.toml");
        write_new(&path, b"mine").unwrap();
        assert_eq!(write_new(&path, b"theirs").unwrap_err().source.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(names(dir.path()), ["x.toml"]);
    }

    #[test]
    fn a_folder_below_a_file_is_refused_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        for error in [prepare(&file.join("out")).unwrap_err(), write(&file.join("out/report.json"), b"x").unwrap_err()] {
            assert!(error.to_string().contains("file/out"), "{error}");
        }
    }

    #[test]
    fn preparing_a_folder_leaves_it_empty() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("reports/x");
        prepare(&out).unwrap();
        assert_eq!(names(&out), Vec::<String>::new());
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        // A folder of that name cannot be replaced by a file, whoever tries.
        let path = dir.path().join("report.json");
        fs::create_dir_all(path.join("kept")).unwrap();
        assert!(write(&path, b"new").is_err());
        assert!(path.join("kept").is_dir());
        assert_eq!(names(dir.path()), ["report.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_was_written() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
        write(&ours, b"x").unwrap();
        fs::write(&theirs, b"x").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&theirs));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[expect(clippy::print_stderr, reason = "says that it was skipped")]
    fn a_device_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let full = Path::new("/dev/full");
        if !full.exists() {
            eprintln!("skipped: this system has no /dev/full");
            return;
        }
        let error = write(full, b"x").unwrap_err();
        assert_eq!(error.source.kind(), ErrorKind::StorageFull, "{error}");
        assert!(fs::metadata(full).unwrap().file_type().is_char_device());
    }
}
