//! The part of libclcowmig's C interface that this example uses, written by hand in the shape a binding generator gives. The headers say
//! what each function does, who owns what, and in which states it is legal.
#![allow(non_camel_case_types)]

use std::ffi::c_void;
use std::os::raw::{c_char, c_int};
use std::marker::{PhantomData, PhantomPinned};
use std::mem::size_of;
use std::ptr::{null, null_mut};

macro_rules! opaque {
    ($($name:ident),*) => { $(
        #[repr(C)]
        pub struct $name {
            _data: [u8; 0],
            _marker: PhantomData<(*mut u8, PhantomPinned)>,
        }
    )* };
}
opaque!(lcowmig_context, lcowmig_sandbox, lcowmig_migration, lcowmig_pod, lcowmig_container);

pub type lcowmig_status = c_int;
pub const LCOWMIG_OK: lcowmig_status = 0;
pub const LCOWMIG_PENDING: lcowmig_status = 1;
pub const LCOWMIG_E_CORRUPT_DATA: lcowmig_status = -9;
pub const LCOWMIG_LOG_DEBUG: u32 = 3;
pub const LCOWMIG_NO_DEADLINE: u64 = u64::MAX;

#[repr(C)]
pub struct lcowmig_error {
    pub size: usize,
    pub status: i32,
    pub hresult: u32,
    pub message: [c_char; 512],
}

impl lcowmig_error {
    pub fn new() -> Self {
        Self { size: size_of::<Self>(), status: 0, hresult: 0, message: [0; 512] }
    }
}

impl Default for lcowmig_error {
    fn default() -> Self {
        Self::new()
    }
}

#[repr(C)]
pub struct lcowmig_platform {
    pub size: usize,
    pub user: *mut c_void,
    pub allocate: Option<unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void>,
    pub release: Option<unsafe extern "C" fn(*mut c_void, *mut c_void)>,
    pub now: Option<unsafe extern "C" fn(*mut c_void) -> u64>,
    pub wall_clock: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    pub random: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> lcowmig_status>,
    pub log: Option<unsafe extern "C" fn(*mut c_void, c_int, *const c_char)>,
    pub log_level: u32,
    pub reserved: u32,
    pub trace: Option<unsafe extern "C" fn(*mut c_void, *mut c_char, usize, *mut c_char, usize)>,
}

impl Default for lcowmig_platform {
    fn default() -> Self {
        Self {
            size: size_of::<Self>(),
            user: null_mut(),
            allocate: None,
            release: None,
            now: None,
            wall_clock: None,
            random: None,
            log: None,
            log_level: 2,
            reserved: 0,
            trace: None,
        }
    }
}

#[repr(C)]
pub struct lcowmig_sandbox_config {
    pub size: usize,
    pub id: *const c_char,
    pub hcs: *const c_void,
    pub guest: *const c_void,
    pub network: *const c_void,
    pub stdio: *const c_void,
    pub socket: *const c_void,
    pub events: *const c_void,
}

impl Default for lcowmig_sandbox_config {
    fn default() -> Self {
        Self {
            size: size_of::<Self>(),
            id: null(),
            hcs: null(),
            guest: null(),
            network: null(),
            stdio: null(),
            socket: null(),
            events: null(),
        }
    }
}

pub type lcowmig_import_policy_fn =
    unsafe extern "C" fn(user: *mut c_void, item: c_int, place: *const c_char, text: *const c_char) -> lcowmig_status;

#[repr(C)]
pub struct lcowmig_piece {
    pub data: *const u8,
    pub size: usize,
}

#[repr(C)]
pub struct lcowmig_import_options {
    pub size: usize,
    pub session_id: *const c_char,
    pub sandbox_id: *const c_char,
    pub envelope: *const u8,
    pub envelope_size: usize,
    pub policy: Option<lcowmig_import_policy_fn>,
    pub policy_user: *mut c_void,
    pub pieces: *const lcowmig_piece,
    pub n_pieces: usize,
}

pub type lcowmig_done_fn = unsafe extern "C" fn(user: *mut c_void, status: lcowmig_status, error: *const lcowmig_error);

extern "C" {
    pub fn lcowmig_version() -> *const c_char;
    pub fn lcowmig_context_new(
        platform: *const lcowmig_platform,
        limits: *const c_void,
        ret_context: *mut *mut lcowmig_context,
        error: *mut lcowmig_error,
    ) -> lcowmig_status;
    pub fn lcowmig_context_free(context: *mut lcowmig_context) -> lcowmig_status;
    pub fn lcowmig_sandbox_new(
        context: *mut lcowmig_context,
        config: *const lcowmig_sandbox_config,
        ret_sandbox: *mut *mut lcowmig_sandbox,
        error: *mut lcowmig_error,
    ) -> lcowmig_status;
    pub fn lcowmig_sandbox_free(sandbox: *mut lcowmig_sandbox, error: *mut lcowmig_error) -> lcowmig_status;
    pub fn lcowmig_sandbox_id(sandbox: *mut lcowmig_sandbox) -> *const c_char;
    pub fn lcowmig_sandbox_migration(sandbox: *mut lcowmig_sandbox) -> *mut lcowmig_migration;
    pub fn lcowmig_sandbox_list_pods(sandbox: *mut lcowmig_sandbox, pods: *mut *mut lcowmig_pod, room: usize) -> usize;
    pub fn lcowmig_pod_id(pod: *mut lcowmig_pod) -> *const c_char;
    pub fn lcowmig_pod_list_containers(pod: *mut lcowmig_pod, containers: *mut *mut lcowmig_container, room: usize) -> usize;
    pub fn lcowmig_container_id(container: *const lcowmig_container) -> *const c_char;
    pub fn lcowmig_container_state_name(container: *const lcowmig_container) -> *const c_char;
    pub fn lcowmig_migration_import(
        migration: *mut lcowmig_migration,
        options: *const lcowmig_import_options,
        error: *mut lcowmig_error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_pending_count(migration: *mut lcowmig_migration) -> usize;
    pub fn lcowmig_migration_abandon(
        migration: *mut lcowmig_migration,
        session_id: *const c_char,
        done: Option<lcowmig_done_fn>,
        user: *mut c_void,
        error: *mut lcowmig_error,
    ) -> lcowmig_status;
}
