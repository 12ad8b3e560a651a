//! Components: the contract is `include/carrel/component.h`.
mod blobstore;
mod clocks;
mod code;
mod config;
mod errno;
mod files;
mod host;
mod http;
mod keyvalue;
mod link;
mod outgoing;
mod paths;
mod state;
mod stdio;
mod streams;
mod task;
mod wit;
