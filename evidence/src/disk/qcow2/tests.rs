//! Images made by the tools, by hand, and by damage.

mod tools;

use super::open;
