//! Images made by the tools, by hand, and by damage.

#![cfg(test)]

mod by_hand;
mod chains;
mod tools;

use super::open;
