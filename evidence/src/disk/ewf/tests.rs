//! Images made by the tools, by hand, and by damage.

#![cfg(test)]

mod by_hand;
mod damaged;
mod segments;
mod tools;

use super::adler32::adler32;
use super::open;
