//! The programs of `bb/docs/diagnostics.md`: each is refused or warned of with its code, and once it is cured nothing is
//! said of it.
//!
//! `diagnostics/BBnnnn.rs` is a program, `BBnnnn.stderr` what `cargo check` says of it, `BBnnnn.cured.rs` the program it
//! should have been. All that need no build script of their own, their first line, are built as one crate, a file each. `BB_BLESS=1 cargo
//! test -p replay` writes what is said; read it before you commit it.

use replay::{Crate, HERE, Said};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TARGET: &str = env!("CARGO_TARGET_TMPDIR");
/// Its file is not mounted.
const UNMOUNTED: &str = "BB0100";
/// Its panic keeps others from being recorded to the end.
const PANICS: &[&str] = &["BB0101", "BB0502"];

fn directory() -> PathBuf {
    Path::new(HERE).join("diagnostics")
}

/// By code: the programs with this ending.
fn programs(ending: &str) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(directory()).expect("the programs lie there").flatten().map(|e| e.path());
    let of = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let code = name.strip_suffix(ending).filter(|code| code.len() == 6)?.to_owned();
        Some((code, std::fs::read_to_string(&path).expect("a program is UTF-8")))
    };
    files.filter_map(of).collect()
}

/// What is said of programs that are files of one crate, by code.
fn check(name: &str, programs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let modules: Vec<String> = programs.keys().map(|code| code.to_lowercase()).collect();
    let mounted: Vec<&str> = modules.iter().map(String::as_str).filter(|m| *m != UNMOUNTED.to_lowercase()).collect();
    let list = mounted.join(", ");
    // A program whose fault is in the build script begins with it.
    let own = programs.values().find_map(|text| text.strip_prefix("//! ")?.split_once('\n'));
    let build = own.map_or(format!("bb::build!({list});\n"), |(line, _)| {
        line.replace("graph;", &format!("{list};")).replace("graph::", &format!("{list}::"))
    });
    let lib: String = modules.iter().map(|m| format!("pub mod {m};\n")).collect();
    let paths: Vec<String> = modules.iter().map(|m| format!("src/{m}.rs")).collect();
    let mut files = vec![("build.rs", build.as_str()), ("src/lib.rs", lib.as_str())];
    files.extend(paths.iter().zip(programs.values()).map(|(path, text)| (path.as_str(), text.as_str())));
    let it = Crate::new(name, TARGET, &files);
    it.add_models();
    let (said, _) = it.check();
    let package = it.path().to_string_lossy();
    let of = |(module, path): (&String, &String)| {
        let here = said.iter().filter(|said: &&Said| said.file == *path);
        // Whoever reads it has it in a file of the usual name.
        let text: String = here.map(|said| said.text.replace(path.as_str(), "src/graph.rs")).collect();
        let text = text.replace(&*package, "/home/you/package");
        let text = text.replace(&format!("`{name}."), "`package.");
        text.replace(&format!("`{module}::"), "`graph::")
    };
    programs.keys().cloned().zip(modules.iter().zip(&paths).map(of)).collect()
}

#[test]
fn every_program_is_told_of_with_its_code() {
    let all = programs(".rs");
    assert!(all.len() > 20, "{} programs", all.len());
    let alone = |code: &String, text: &str| PANICS.contains(&code.as_str()) || text.starts_with("//! ");
    let mut said = BTreeMap::new();
    let (single, together): (BTreeMap<_, _>, BTreeMap<_, _>) = all.into_iter().partition(|(c, t)| alone(c, t));
    let (warned, refused): (BTreeMap<_, _>, BTreeMap<_, _>) =
        together.into_iter().partition(|(c, _)| c.starts_with("BB07"));
    // rustc looks for warnings once nothing is refused.
    said.extend(check("refused", &refused));
    said.extend(check("warned", &warned));
    for (code, text) in single {
        said.extend(check(&code.to_lowercase(), &BTreeMap::from([(code, text)])));
    }
    let mut wrong = Vec::new();
    for (code, said) in said {
        let expected = directory().join(format!("{code}.stderr"));
        if std::env::var_os("BB_BLESS").is_some() {
            std::fs::write(&expected, &said).expect("the source tree is writable");
        }
        let level = if code.starts_with("BB07") { "warning: " } else { "error: " };
        let with_its_code =
            said.starts_with(level) && said.contains(&format!("bb[{code}]: ")) && said.contains("\n  help: ");
        if !with_its_code || std::fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{code} says\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_said_of_a_cured_program() {
    let cured = programs(".cured.rs");
    assert_eq!(cured.keys().collect::<Vec<_>>(), programs(".rs").keys().collect::<Vec<_>>(), "each has a cure");
    let mut cured: BTreeMap<String, String> = cured;
    // What its cure is, is that it is mounted.
    let mounted = cured.remove(UNMOUNTED).expect("it has a cure");
    cured.insert("BB0099".into(), mounted);
    let (single, together): (BTreeMap<_, _>, BTreeMap<_, _>) =
        cured.into_iter().partition(|(_, text)| text.starts_with("//! "));
    let mut said = check("cured", &together);
    for (code, text) in single {
        said.extend(check(&format!("cured_{}", code.to_lowercase()), &BTreeMap::from([(code, text)])));
    }
    let wrong: Vec<String> =
        said.into_iter().filter(|(_, said)| !said.is_empty()).map(|(c, s)| format!("{c}\n{s}")).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
