//! A small writer of tar archives, which also writes what no tar would.

/// One header block, before its checksum is set.
#[derive(Clone)]
pub(crate) struct Header(pub(crate) [u8; 512]);

impl Header {
    /// A ustar header of the given type.
    pub(crate) fn new(kind: u8, name: &[u8]) -> Header {
        let header = Header([0; 512]).put(0, name).octal(100, 8, 0o644).octal(108, 8, 0);
        header
            .octal(116, 8, 0)
            .octal(136, 12, 1_700_000_000)
            .put(156, &[kind])
            .put(257, b"ustar\x0000")
    }

    pub(crate) fn put(mut self, at: usize, bytes: &[u8]) -> Header {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn octal(self, at: usize, length: usize, value: u64) -> Header {
        let digits = format!("{value:0width$o}\0", width = length - 1);
        self.put(at, digits.as_bytes())
    }

    pub(crate) fn size(self, size: u64) -> Header {
        self.octal(124, 12, size)
    }

    pub(crate) fn link(self, target: &[u8]) -> Header {
        self.put(157, target)
    }

    fn sealed(mut self) -> [u8; 512] {
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.octal(148, 7, u64::from(sum)).0
    }
}

/// An archive that grows.
#[derive(Clone, Default)]
pub(crate) struct Archive(pub(crate) Vec<u8>);

impl Archive {
    /// A header as it is, and content filled up to a block.
    pub(crate) fn raw(mut self, header: Header, content: &[u8]) -> Archive {
        self.0.extend_from_slice(&header.sealed());
        self.blocks(content)
    }

    pub(crate) fn blocks(mut self, content: &[u8]) -> Archive {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// A header with the size of its content.
    pub(crate) fn member(self, header: Header, content: &[u8]) -> Archive {
        self.raw(header.size(content.len() as u64), content)
    }

    pub(crate) fn file(self, name: &[u8], content: &[u8]) -> Archive {
        self.member(Header::new(b'0', name), content)
    }

    /// An extended header of the given type (`x` or `g`).
    pub(crate) fn pax(self, kind: u8, records: &[(&str, &[u8])]) -> Archive {
        let body: Vec<u8> =
            records.iter().flat_map(|(key, value)| record(key.as_bytes(), value)).collect();
        self.member(Header::new(kind, b"PaxHeaders"), &body)
    }

    /// Two blocks of zeros, filled up to a record as tar does.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.resize((self.0.len() + 1024).next_multiple_of(10_240), 0);
        self.0
    }
}

/// `LENGTH KEY=VALUE\n`, of which the length counts its own digits.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length += 1;
    }
    [format!("{length} ").as_bytes(), key, b"=", value, b"\n"].concat()
}
