//! Passes that slice a recorded bb program into one artifact per peer class.
