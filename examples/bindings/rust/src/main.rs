//! Imports an exported envelope into a fresh sandbox and prints what is in it, then leaves the session again: `read-envelope FILE`.

use clcowmig_sys::*;
use std::ffi::{c_void, CStr, CString};
use std::os::raw::{c_char, c_int};
use std::process::ExitCode;
use std::ptr::{null, null_mut};
use std::{env, fs};

/// A C string of the library as text; every one is UTF-8.
unsafe fn text(pointer: *const c_char) -> String {
    CStr::from_ptr(pointer).to_string_lossy().into_owned()
}

fn check(status: lcowmig_status, error: &lcowmig_error) -> Result<(), String> {
    match status {
        LCOWMIG_OK => Ok(()),
        _ => Err(unsafe { text(error.message.as_ptr()) }),
    }
}

unsafe extern "C" fn count_log_lines(user: *mut c_void, _level: c_int, _message: *const c_char) {
    *user.cast::<u32>() += 1;
}

unsafe extern "C" fn count_paths(user: *mut c_void, _item: c_int, _place: *const c_char, _text: *const c_char) -> lcowmig_status {
    *user.cast::<u32>() += 1;
    LCOWMIG_OK
}

unsafe extern "C" fn abandoned(user: *mut c_void, status: lcowmig_status, _error: *const lcowmig_error) {
    *user.cast::<lcowmig_status>() = status;
}

unsafe fn print_sandbox(sandbox: *mut lcowmig_sandbox) {
    let mut pods = vec![null_mut(); lcowmig_sandbox_list_pods(sandbox, null_mut(), 0)];
    lcowmig_sandbox_list_pods(sandbox, pods.as_mut_ptr(), pods.len());
    println!("{}: {} pods", text(lcowmig_sandbox_id(sandbox)), pods.len());
    for pod in pods {
        println!("  pod {}", text(lcowmig_pod_id(pod)));
        let mut containers = vec![null_mut(); lcowmig_pod_list_containers(pod, null_mut(), 0)];
        lcowmig_pod_list_containers(pod, containers.as_mut_ptr(), containers.len());
        for container in containers {
            println!("    container {}, {}", text(lcowmig_container_id(container)), text(lcowmig_container_state_name(container)));
        }
    }
}

unsafe fn read(context: *mut lcowmig_context, envelope: &[u8]) -> Result<(), String> {
    let mut error = lcowmig_error::new();
    let mut sandbox = null_mut();
    check(lcowmig_sandbox_new(context, &lcowmig_sandbox_config::default(), &mut sandbox, &mut error), &error)?;
    let migration = lcowmig_sandbox_migration(sandbox);
    let session = CString::new("read-envelope").unwrap();
    let here = CString::new("looked-at").unwrap();
    let mut items = 0u32;
    let mut options = lcowmig_import_options {
        size: std::mem::size_of::<lcowmig_import_options>(),
        session_id: session.as_ptr(),
        sandbox_id: here.as_ptr(),
        envelope: envelope.as_ptr(),
        envelope_size: envelope.len() / 2,
        policy: Some(count_paths),
        policy_user: (&mut items as *mut u32).cast(),
        pieces: std::ptr::null(),
        n_pieces: 0,
    };

    // Half an envelope is refused and changes nothing; the whole one is taken afterwards.
    if lcowmig_migration_import(migration, &options, &mut error) != LCOWMIG_E_CORRUPT_DATA {
        return Err("half an envelope was taken".into());
    }
    println!("half of it: {}", text(error.message.as_ptr()));
    items = 0;
    options.policy_user = (&mut items as *mut u32).cast();
    options.envelope_size = envelope.len();
    let result = check(lcowmig_migration_import(migration, &options, &mut error), &error);
    if result.is_ok() {
        print_sandbox(sandbox);
        println!("{} containers to be patched, {items} items shown to the policy", lcowmig_migration_pending_count(migration));
        let mut outcome = LCOWMIG_PENDING;
        let status =
            lcowmig_migration_abandon(migration, session.as_ptr(), Some(abandoned), (&mut outcome as *mut lcowmig_status).cast(), &mut error);
        if status != LCOWMIG_OK && (status != LCOWMIG_PENDING || outcome == LCOWMIG_PENDING) {
            return Err(format!("abandon: {status}, {}", text(error.message.as_ptr())));
        }
    }
    check(lcowmig_sandbox_free(sandbox, &mut error), &error)?;
    result
}

fn run(file: &str) -> Result<(), String> {
    let envelope = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let mut lines = 0u32;
    let platform = lcowmig_platform {
        user: (&mut lines as *mut u32).cast(),
        log: Some(count_log_lines),
        log_level: LCOWMIG_LOG_DEBUG,
        ..Default::default()
    };
    let mut error = lcowmig_error::new();
    let mut context = null_mut();
    let result = unsafe {
        check(lcowmig_context_new(&platform, null(), &mut context, &mut error), &error)?;
        println!("libclcowmig {}", text(lcowmig_version()));
        let result = read(context, &envelope);
        if lcowmig_context_free(context) != LCOWMIG_OK {
            return Err("the context is still in use".into());
        }
        result
    };
    println!("{} log lines", if lines > 0 { "some" } else { "no" });
    result
}

fn main() -> ExitCode {
    let file = match env::args().nth(1) {
        Some(file) => file,
        None => {
            eprintln!("usage: read-envelope FILE");
            return ExitCode::from(2);
        }
    };
    match run(&file) {
        Ok(()) => {
            println!("consumer: ok");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("read-envelope: {message}");
            ExitCode::FAILURE
        }
    }
}
