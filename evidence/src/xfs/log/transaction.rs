//! Transactions: what the operations of the records put together. `struct xlog_op_header`.
//!
//! A transaction begins with its own header, then come its items. Each item is a number of regions,
//! the first of which says how many. A region that does not fit a record goes on in the next one.

use super::blocks::LogBlocks;
use super::head::Head;
use super::record::Record;
use crate::EvidenceError;
use crate::fields::Fields;
use std::collections::BTreeMap;

const START: u8 = 0x01;
const COMMIT: u8 = 0x02;
const CONTINUE: u8 = 0x04;
const WAS_CONTINUED: u8 = 0x08;
const END: u8 = 0x10;
const UNMOUNT: u8 = 0x20;
/// Bytes before the data of an operation.
const OPERATION_HEADER: usize = 12;
/// Bytes of the header of a transaction.
const TRANSACTION_HEADER: usize = 16;
/// Regions of an item: one description, and every other piece of the largest buffer.
const MAX_REGIONS: usize = 513;
/// Bytes of transactions that are not committed yet.
const MAX_PENDING: usize = 256 << 20;
const NAME: &str = "XFS log operation";

/// A change of one structure.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// How many regions it will have.
    expected: usize,
    /// Its description, then what it logs.
    pub(super) regions: Vec<Vec<u8>>,
}

/// Changes that belong together.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Sequence number of the record in which it began.
    pub(super) lsn: u64,
    pub(super) items: Vec<Item>,
    /// Bytes of its header that have not come yet.
    header_left: usize,
}

impl Item {
    /// What it changes; the descriptions of all kinds begin with it.
    pub(super) fn kind(&self) -> u16 {
        self.description().le16(0).unwrap_or_default()
    }

    /// Its first region.
    pub(super) fn description(&self) -> Fields<'_> {
        let bytes = self.regions.first().map(Vec::as_slice).unwrap_or_default();
        Fields::new("XFS log item", 0, bytes)
    }
}

/// Hands all committed transactions between tail and head to `each`, in their order.
pub(super) fn committed(
    log: &LogBlocks,
    head: &Head,
    each: &mut dyn FnMut(Transaction) -> Result<(), EvidenceError>,
) -> Result<(), EvidenceError> {
    let mut pending = Pending { transactions: BTreeMap::new(), bytes: 0 };
    let mut done = 0_u64;
    while done < head.blocks {
        let record = Record::read(log, log.after(head.tail, done))?;
        done = done.saturating_add(record.blocks());
        let content = record.content(log)?;
        let fields = Fields::new(NAME, log.offset(record.block), &content);
        let mut at = 0_usize;
        for _ in 0..record.operations {
            let (id, length) = (fields.be32(at)?, fields.be32(at.saturating_add(4))?);
            let flags = fields.u8(at.saturating_add(9))?;
            at = at.saturating_add(OPERATION_HEADER);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let operation = fields.part(NAME, at, length)?;
            at = at.saturating_add(length);
            if let Some(transaction) = pending.add((id, flags), record.lsn, &operation)? {
                each(transaction)?;
            }
        }
    }
    Ok(())
}

/// The transactions that were begun.
struct Pending {
    transactions: BTreeMap<u32, Transaction>,
    bytes: usize,
}

impl Pending {
    /// Adds an operation to the transaction with that identifier, and returns it once it is
    /// committed. What belongs to a transaction whose start is not in the log is left out.
    fn add(
        &mut self,
        (id, flags): (u32, u8),
        lsn: u64,
        operation: &Fields<'_>,
    ) -> Result<Option<Transaction>, EvidenceError> {
        let data = operation.all();
        if flags & START != 0 {
            let header_left = TRANSACTION_HEADER;
            let transaction = Transaction { lsn, items: Vec::new(), header_left };
            self.transactions.insert(id, transaction);
            return Ok(None);
        }
        if flags & (COMMIT | UNMOUNT) != 0 {
            let transaction = self.transactions.remove(&id);
            self.bytes = self.bytes.saturating_sub(transaction.iter().map(Transaction::size).sum());
            return Ok(transaction.filter(|_| flags & COMMIT != 0));
        }
        let Some(transaction) = self.transactions.get_mut(&id) else { return Ok(None) };
        self.bytes = self.bytes.saturating_add(data.len());
        if self.bytes > MAX_PENDING {
            let limit = u64::try_from(MAX_PENDING).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "bytes of an XFS transaction", limit });
        }
        match flags & !END {
            0 | CONTINUE => transaction.add_region(operation)?,
            flags if flags & WAS_CONTINUED != 0 => transaction.continue_region(operation)?,
            other => return Err(operation.malformed(0, "known flags", format!("{other:#x}"))),
        }
        Ok(None)
    }
}

impl Transaction {
    fn size(&self) -> usize {
        self.items.iter().flat_map(|item| &item.regions).map(Vec::len).sum()
    }

    fn add_region(&mut self, operation: &Fields<'_>) -> Result<(), EvidenceError> {
        let data = operation.all();
        if data.is_empty() {
            return Ok(());
        }
        if self.header_left > 0 {
            return self.add_header(operation);
        }
        let is_full = self.items.last().is_none_or(|item| item.regions.len() >= item.expected);
        if is_full {
            let expected = usize::from(operation.le16(2)?);
            if expected == 0 || expected > MAX_REGIONS {
                let need = format!("an item of 1 to {MAX_REGIONS} regions");
                return Err(operation.malformed(2, need, expected));
            }
            self.items.push(Item { expected, regions: Vec::new() });
        }
        if let Some(item) = self.items.last_mut() {
            item.regions.push(data.to_vec());
        }
        Ok(())
    }

    fn continue_region(&mut self, operation: &Fields<'_>) -> Result<(), EvidenceError> {
        if self.header_left > 0 {
            return self.add_header(operation);
        }
        let region = self.items.last_mut().and_then(|item| item.regions.last_mut());
        let region = region.ok_or_else(|| operation.malformed(0, "a region to go on", "none"))?;
        region.extend_from_slice(operation.all());
        Ok(())
    }

    fn add_header(&mut self, operation: &Fields<'_>) -> Result<(), EvidenceError> {
        let length = operation.all().len();
        let left = self.header_left.checked_sub(length);
        self.header_left = left.ok_or_else(|| {
            operation.malformed(0, format!("{} bytes of a header", self.header_left), length)
        })?;
        Ok(())
    }
}
