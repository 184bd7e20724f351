//! The sans-IO engine that runs bb artifacts.
