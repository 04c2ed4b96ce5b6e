//! What holds for the logs of Docker Desktop.
#![cfg(test)]

mod dating;
mod lines;
mod promises;
