//! Asks pkg-config where the library is; nothing but the standard library is needed.
//! `CLCOWMIG_STATIC=1` links the static library.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rerun-if-env-changed=CLCOWMIG_STATIC");
    let is_static = env::var_os("CLCOWMIG_STATIC").map(|value| value == "1").unwrap_or(false);

    let mut command = Command::new(env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into()));
    command.arg("--libs");
    if is_static {
        command.arg("--static");
    }
    let output = command.arg("libclcowmig >= 1.0").output().expect("pkg-config does not run");
    if !output.status.success() {
        panic!("pkg-config: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout).expect("pkg-config answers in UTF-8");
    for flag in text.split_whitespace() {
        if let Some(path) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={path}");
        } else if let Some(name) = flag.strip_prefix("-l") {
            // Only our own archive is taken as one; what it needs stays as the system has it.
            let kind = if is_static && name == "clcowmig" { "static" } else { "dylib" };
            println!("cargo:rustc-link-lib={kind}={name}");
        }
    }
}
