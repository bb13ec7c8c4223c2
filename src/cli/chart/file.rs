//! Pictures into files: whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

use super::super::context::Context;
use super::super::failure::{Failure, Kind};
use crate::render::human;

/// Writes the text into the file, or to stdout when it is `-`. A reader of the file
/// sees the old picture or the new one.
pub(super) fn write(ctx: &mut Context<'_>, file: &Path, text: &str) -> Result<(), Failure> {
    if file == Path::new("-") {
        return Ok(ctx.stdout.write_all(text.as_bytes())?);
    }
    replace(file, text).map_err(|error| {
        let message = format!("cannot write {}", file.display());
        Failure::new(Kind::Failed, "file_unwritable", message).caused_by(Some(&error))
    })?;
    ctx.notice(format_args!(
        "wrote {} ({})",
        file.display(),
        human::bytes(text.len() as u64)
    ));
    Ok(())
}

fn replace(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let mut temporary = tempfile::Builder::new();
    let temporary = readable(&mut temporary);
    let mut new = temporary.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.persist(file)?;
    Ok(())
}

/// A picture is for others too, as far as the umask lets them.
#[cfg(unix)]
fn readable<'a, 'b, 'c>(
    builder: &'a mut tempfile::Builder<'b, 'c>,
) -> &'a mut tempfile::Builder<'b, 'c> {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn readable<'a, 'b, 'c>(
    builder: &'a mut tempfile::Builder<'b, 'c>,
) -> &'a mut tempfile::Builder<'b, 'c> {
    builder
}
