//! Writes the seeds of every target into its corpus.

fn main() -> std::io::Result<()> {
    for target in bb_fuzz::TARGETS {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.0);
        std::fs::create_dir_all(&dir)?;
        for (i, seed) in bb_fuzz::seeds::seeds(target.0).into_iter().enumerate() {
            std::fs::write(dir.join(format!("seed-{i:02}")), seed)?;
        }
    }
    Ok(())
}
