//! Compressed input, recognised by its first bytes.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The input as it is, or unpacked where it begins like gzip or zstd. Members
/// and frames that follow each other are one input. An input that is cut off
/// in the middle gives an error behind all that could be unpacked.
///
/// # Errors
/// When the first bytes cannot be read or the unpacker cannot be made.
pub fn open(mut input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    while [GZIP, ZSTD].iter().any(|magic| is_begun(magic, &head)) {
        if input.by_ref().take(1).read_to_end(&mut head)? == 0 {
            break;
        }
    }
    let (is_gzip, is_zstd) = (head == GZIP, head == ZSTD);
    let whole = Cursor::new(head).chain(input);
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(whole))
    } else if is_zstd {
        Box::new(zstd::Decoder::new(whole)?)
    } else {
        Box::new(whole)
    })
}

/// Whether an input that begins so is compressed.
pub fn is_packed(head: &[u8]) -> bool {
    [GZIP, ZSTD].iter().any(|magic| head.starts_with(magic))
}

/// Whether the magic number may still come, so that more bytes are needed to
/// tell. A slow pipe is asked for no more than that.
fn is_begun(magic: &[u8], head: &[u8]) -> bool {
    head.len() < magic.len() && magic.starts_with(head)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::input::{Format, Lines, MAX_LINE};

    const TEXT: &str = "{\"type\":\"request\"}\n{\"type\":\"cache\"}\n";

    fn gzip(text: &str) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    }

    fn unpacked(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        open(Box::new(Cursor::new(bytes)))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn plain_gzip_and_zstd_give_the_same_text() {
        let twice = TEXT.repeat(2);
        assert_eq!(unpacked(TEXT.into()).unwrap(), TEXT);
        assert_eq!(unpacked([gzip(TEXT), gzip(TEXT)].concat()).unwrap(), twice);
        let frame = zstd::encode_all(TEXT.as_bytes(), 1).unwrap();
        assert_eq!(unpacked([frame.clone(), frame].concat()).unwrap(), twice);
    }

    #[test]
    fn an_input_shorter_than_a_magic_number_is_plain() {
        for text in ["", "(", "{}", "\n"] {
            assert_eq!(unpacked(text.into()).unwrap(), text);
        }
    }

    #[test]
    fn an_archive_that_is_cut_off_gives_its_readable_lines_and_then_an_error() {
        let text: String = (0..20_000)
            .map(|n| format!("{{\"n\":{}}}\n", n * n % 7_919))
            .collect();
        let mut packed = gzip(&text);
        packed.truncate(packed.len() / 2);
        let mut lines = Lines::new(
            open(Box::new(Cursor::new(packed))).unwrap(),
            Format::Jsonl,
            MAX_LINE,
        );
        let mut read = 0;
        let error = loop {
            match lines.next_chunk() {
                Ok(Some(chunk)) => read += chunk.count(),
                Ok(None) => panic!("the end was not missed"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(read > 5_000, "{read}");
    }
}
