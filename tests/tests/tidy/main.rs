//! Repository conventions: is the tree still in the shape that it should have?
//!
//! [`crates`] looks at dependencies and dangerous code, [`shape`] at sizes and signatures,
//! [`words`] at comments and messages, [`costs`] at what an addition
//! touches, and [`promises`] at the names in documents and tables;
//! [`known`] has what is not in shape yet.

mod costs;
mod crates;
mod known;
mod promises;
mod shape;
mod words;
