//! Links the program at a fixed address.
//!
//! Every tool is this one program, started anew for each command that a learner types: a position-independent one spends
//! more time on relocating itself (ld.so(8)) than on the system calls that it is there to show.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
