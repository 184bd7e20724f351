//! Records and compiles `src/programs.rs`, the programs of the campaign.
bb::build!(programs);
