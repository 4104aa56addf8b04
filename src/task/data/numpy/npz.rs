//! `.npz` archives: zip files whose members are `.npy` files, as `numpy.savez` and `numpy.savez_compressed` write them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};

use super::super::{fault, quoted, some_of};
use crate::error::DataError;
use crate::source::read_error;

/// An archive, and where the arrays that are wanted lie in it.
pub(super) struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<FileReader>,
    members: Vec<Member>,
}

struct Member {
    name: String,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

impl<'a> Archive<'a> {
    /// Opens an archive that must hold the `wanted` arrays.
    pub(super) fn open<const N: usize>(path: &'a Path, wanted: [&str; N]) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|e| read_error(path, &e))?;
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let zip = ZipArchive::from_file(file, &mut buffer).map_err(|e| {
            fault(path, None, format!("is no .npz archive, or cut short ({e}): write it with numpy.savez, or fetch it again"))
        })?;
        let members = members(path, &zip, &mut buffer)?;
        let missing = wanted.iter().filter(|name| !members.iter().any(|member| member.name == **name));
        let missing: Vec<String> = missing.map(|name| quoted(name)).collect();
        if !missing.is_empty() {
            let names: Vec<String> = members.iter().map(|member| quoted(&member.name)).collect();
            let message = format!(
                "holds no array {}: name two of its arrays by `inputs` and `targets`; it holds {}",
                missing.join(" and no array "),
                if names.is_empty() { "none".to_owned() } else { some_of(&names) }
            );
            return Err(fault(path, None, message));
        }
        Ok(Self { path, zip, members })
    }

    /// The unpacked bytes of an array; reading them ends with an error where they are not what was packed.
    pub(super) fn member(&self, name: &str) -> Result<Box<dyn Read + '_>, DataError> {
        let damaged =
            |e: String| fault(self.path, None, format!("the array {name:?} is damaged ({e}): save or fetch it again"));
        let member = self.members.iter().find(|member| member.name == name);
        let member = member.ok_or_else(|| damaged("it is gone".to_owned()))?;
        let entry = self.zip.get_entry(member.place).map_err(|e| damaged(e.to_string()))?;
        match member.method {
            CompressionMethod::STORE => Ok(Box::new(entry.verifying_reader(entry.reader()))),
            CompressionMethod::DEFLATE => Ok(Box::new(entry.verifying_reader(DeflateDecoder::new(entry.reader())))),
            other => Err(fault(
                self.path,
                None,
                format!("the array {name:?} is packed by {other:?}: write the archive with numpy.savez_compressed"),
            )),
        }
    }
}

/// The arrays that the archive lists.
fn members(path: &Path, zip: &ZipArchive<FileReader>, buffer: &mut [u8]) -> Result<Vec<Member>, DataError> {
    let damaged = |e| fault(path, None, format!("has a damaged list of contents ({e}): save or fetch it again"));
    let mut members = Vec::new();
    let mut entries = zip.entries(buffer);
    while let Some(entry) = entries.next_entry().map_err(damaged)? {
        let file = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        if let Some(name) = file.strip_suffix(".npy") {
            members.push(Member { name: name.to_owned(), method: entry.compression_method(), place: entry.wayfinder() });
        }
    }
    Ok(members)
}
