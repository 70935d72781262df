//! The program rbird: wiring, and nothing else.

mod answers;
mod args;
mod background;
mod files;
mod instance;
mod logging;
mod privileges;
mod protocols;
mod settings;
mod translate;
mod world;

fn main() {}
