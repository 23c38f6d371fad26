//! The part of libclcowmig's C interface that this example uses, written by hand in the shape a binding generator gives. The headers say
//! what each function does, who owns what, and in which states it is legal. Sizes are checked by the library: a struct that is written down
//! wrong here is refused.
#![allow(non_camel_case_types)]

use std::marker::{PhantomData, PhantomPinned};
use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_int, c_void};

macro_rules! opaque {
    ($($name:ident),*) => { $(
        #[repr(C)]
        pub struct $name {
            _data: [u8; 0],
            _marker: PhantomData<(*mut u8, PhantomPinned)>,
        }
    )* };
}
opaque!(
    lcowmig_context,
    lcowmig_sandbox,
    lcowmig_migration,
    lcowmig_vm,
    lcowmig_scsi,
    lcowmig_pod,
    lcowmig_container,
    lcowmig_call,
    lcowmig_event
);

pub type lcowmig_status = c_int;
pub const LCOWMIG_OK: lcowmig_status = 0;
pub const LCOWMIG_PENDING: lcowmig_status = 1;
pub const LCOWMIG_E_UNAVAILABLE: lcowmig_status = -5;
pub const LCOWMIG_E_HOST_FAILED: lcowmig_status = -11;
pub const LCOWMIG_E_GUEST_FAILED: lcowmig_status = -12;

pub const LCOWMIG_GCS_EXECUTE_PROCESS: u32 = 0x1010_0501;
pub const LCOWMIG_GCS_WAIT_FOR_PROCESS: u32 = 0x1010_0601;
pub const LCOWMIG_GCS_MODIFY_SETTINGS: u32 = 0x1010_0a01;
pub const LCOWMIG_GCS_FIRST_PORT: u32 = 0x4000_0001;
pub const LCOWMIG_HCS_EVENT_SYSTEM_EXITED: u32 = 1;
pub const LCOWMIG_PREPARE_PATHS_SHARED: u32 = 1;
pub const LCOWMIG_FINALIZE_STOP: u32 = 1;
pub const LCOWMIG_FINALIZE_RESUME: u32 = 2;
pub const LCOWMIG_TOKEN_SIZE_MAX: usize = 256;
pub const LCOWMIG_EVENT_TASK_START: c_int = 2;
pub const LCOWMIG_EVENT_TASK_EXIT: c_int = 3;

/// A struct that begins with its size: every other member is zero or NULL by default.
macro_rules! sized {
    ($(pub struct $name:ident { $(pub $member:ident: $type:ty,)* })*) => { $(
        #[repr(C)]
        pub struct $name {
            pub size: usize,
            $(pub $member: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                // Numbers, pointers and optional functions only: all of them may be zero.
                Self { size: size_of::<Self>(), ..unsafe { zeroed() } }
            }
        }
    )* };
}

pub type call_fn = unsafe extern "C" fn(*mut c_void, *mut lcowmig_call) -> lcowmig_status;
pub type call_handle_fn = unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *mut c_void) -> lcowmig_status;
pub type call_text_fn = unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *const c_char) -> lcowmig_status;
pub type call_texts_fn = unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *const c_char, *const c_char) -> lcowmig_status;
pub type call_request_fn = unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *mut c_void, *const c_char) -> lcowmig_status;
pub type call_socket_fn = unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *mut c_void, *const c_char, *mut c_void) -> lcowmig_status;
pub type handle_fn = unsafe extern "C" fn(*mut c_void, *mut c_void);
pub type done_fn = unsafe extern "C" fn(*mut c_void, lcowmig_status, *const lcowmig_error);

sized! {
    pub struct lcowmig_error {
        pub status: i32,
        pub hresult: u32,
        pub message: [c_char; 512],
    }

    pub struct lcowmig_hcs_ops {
        pub user: *mut c_void,
        pub create: Option<call_texts_fn>,
        pub start: Option<call_socket_fn>,
        pub terminate: Option<call_handle_fn>,
        pub close: Option<call_handle_fn>,
        pub modify: Option<call_request_fn>,
        pub properties: Option<call_request_fn>,
        pub initialize_migration: Option<call_request_fn>,
        pub start_migration: Option<call_socket_fn>,
        pub transfer: Option<call_request_fn>,
        pub finalize_migration: Option<call_request_fn>,
        pub cancel_migration: Option<call_request_fn>,
        pub grant_access: Option<call_texts_fn>,
        pub resolve_path: Option<call_text_fn>,
        pub path_type: Option<call_text_fn>,
    }

    pub struct lcowmig_guest_ops {
        pub user: *mut c_void,
        pub attach: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_sandbox)>,
        pub prepare: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *const c_char, u32) -> lcowmig_status>,
        pub entropy: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *const u8, usize) -> lcowmig_status>,
        pub log: Option<call_fn>,
        pub connect: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, bool) -> lcowmig_status>,
        pub resume: Option<call_fn>,
        pub close: Option<unsafe extern "C" fn(*mut c_void)>,
        pub is_connected: Option<unsafe extern "C" fn(*mut c_void) -> bool>,
        pub set_migrating: Option<unsafe extern "C" fn(*mut c_void, bool)>,
        pub rpc: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, u32, *const c_char, *const c_char) -> lcowmig_status>,
        pub adopt: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, i64) -> lcowmig_status>,
        pub next_port: Option<unsafe extern "C" fn(*mut c_void) -> u32>,
        pub next_request_id: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
        pub allocate_port: Option<unsafe extern "C" fn(*mut c_void) -> u32>,
        pub raise_port: Option<unsafe extern "C" fn(*mut c_void, u32)>,
        pub raise_request_id: Option<unsafe extern "C" fn(*mut c_void, i64)>,
        pub open_container: Option<unsafe extern "C" fn(*mut c_void, *const c_char)>,
        pub close_container: Option<unsafe extern "C" fn(*mut c_void, *const c_char)>,
    }

    pub struct lcowmig_network_ops {
        pub user: *mut c_void,
        pub endpoints: Option<call_text_fn>,
    }

    pub struct lcowmig_stdio_ops {
        pub user: *mut c_void,
        pub open: Option<call_handle_fn>,
        pub attach: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *mut c_void, *const u32) -> lcowmig_status>,
        pub drain: Option<call_handle_fn>,
        pub close_stdin: Option<handle_fn>,
        pub close: Option<handle_fn>,
    }

    pub struct lcowmig_socket_ops {
        pub user: *mut c_void,
        pub adopt: Option<unsafe extern "C" fn(*mut c_void, *mut lcowmig_call, *const u8, usize) -> lcowmig_status>,
        pub close: Option<handle_fn>,
        pub descriptor_size: usize,
    }

    pub struct lcowmig_event_ops {
        pub user: *mut c_void,
        pub event: Option<unsafe extern "C" fn(*mut c_void, *const lcowmig_event)>,
    }

    pub struct lcowmig_sandbox_config {
        pub id: *const c_char,
        pub hcs: *const lcowmig_hcs_ops,
        pub guest: *const lcowmig_guest_ops,
        pub network: *const lcowmig_network_ops,
        pub stdio: *const lcowmig_stdio_ops,
        pub socket: *const lcowmig_socket_ops,
        pub events: *const lcowmig_event_ops,
    }

    pub struct lcowmig_container_options {
        pub oci_spec: *const c_char,
        pub oci_spec_size: usize,
        pub rootfs: *const lcowmig_rootfs_mount,
        pub n_rootfs: usize,
        pub bundle: *const c_char,
        pub stdin_path: *const c_char,
        pub stdout_path: *const c_char,
        pub stderr_path: *const c_char,
        pub io_retry_timeout_ns: u64,
        pub terminal: u32,
        pub reserved: u32,
    }

    pub struct lcowmig_patch {
        pub source_container_id: *const c_char,
        pub container_id: *const c_char,
        pub rootfs: *const lcowmig_rootfs_mount,
        pub n_rootfs: usize,
        pub disks: *const c_void,
        pub n_disks: usize,
        pub bundle: *const c_char,
        pub stdin_path: *const c_char,
        pub stdout_path: *const c_char,
        pub stderr_path: *const c_char,
        pub namespace_id: *const c_char,
        pub container_type: *const c_char,
        pub terminal: u32,
        pub reserved: u32,
    }

    pub struct lcowmig_import_options {
        pub session_id: *const c_char,
        pub sandbox_id: *const c_char,
        pub envelope: *const u8,
        pub envelope_size: usize,
        pub policy: Option<unsafe extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char) -> lcowmig_status>,
        pub policy_user: *mut c_void,
        pub pieces: *const c_void,
        pub n_pieces: usize,
    }

    pub struct lcowmig_finalize_options {
        pub token: *const u8,
        pub token_size: usize,
        pub reason: *const c_char,
        pub action: u32,
        pub flags: u32,
    }

    pub struct lcowmig_disk_config {
        pub host_path: *const c_char,
        pub evd_type: *const c_char,
        pub kind: u32,
        pub read_only: u32,
    }
}

#[repr(C)]
pub struct lcowmig_rootfs_mount {
    pub kind: *const c_char,
    pub source: *const c_char,
    pub target: *const c_char,
    pub options: *const *const c_char,
    pub n_options: usize,
}

type Error = *mut lcowmig_error;
type Done = Option<done_fn>;

extern "C" {
    pub fn lcowmig_version() -> *const c_char;
    pub fn lcowmig_context_new(
        platform: *const c_void,
        limits: *const c_void,
        ret: *mut *mut lcowmig_context,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_context_free(context: *mut lcowmig_context) -> lcowmig_status;

    pub fn lcowmig_call_complete(call: *mut lcowmig_call, status: lcowmig_status);
    pub fn lcowmig_call_set_result(call: *mut lcowmig_call, data: *const c_void, size: usize) -> lcowmig_status;
    pub fn lcowmig_call_set_handle(call: *mut lcowmig_call, handle: *mut c_void);
    pub fn lcowmig_call_set_error(call: *mut lcowmig_call, hresult: u32, message: *const c_char);
    pub fn lcowmig_call_set_request_id(call: *mut lcowmig_call, id: i64);

    pub fn lcowmig_event_get_type(event: *const lcowmig_event) -> c_int;
    pub fn lcowmig_event_container_id(event: *const lcowmig_event) -> *const c_char;
    pub fn lcowmig_event_exit_status(event: *const lcowmig_event) -> u32;

    pub fn lcowmig_sandbox_new(
        context: *mut lcowmig_context,
        config: *const lcowmig_sandbox_config,
        ret: *mut *mut lcowmig_sandbox,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_sandbox_free(sandbox: *mut lcowmig_sandbox, error: Error) -> lcowmig_status;
    pub fn lcowmig_sandbox_hcs_event(sandbox: *mut lcowmig_sandbox, kind: u32, data: *const c_char, error: Error) -> lcowmig_status;
    pub fn lcowmig_sandbox_id(sandbox: *mut lcowmig_sandbox) -> *const c_char;
    pub fn lcowmig_sandbox_vm(sandbox: *mut lcowmig_sandbox) -> *mut lcowmig_vm;
    pub fn lcowmig_sandbox_migration(sandbox: *mut lcowmig_sandbox) -> *mut lcowmig_migration;
    pub fn lcowmig_sandbox_list_pods(sandbox: *mut lcowmig_sandbox, pods: *mut *mut lcowmig_pod, room: usize) -> usize;

    pub fn lcowmig_vm_create(
        vm: *mut lcowmig_vm,
        document: *const c_char,
        size: usize,
        options: *const c_void,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_vm_start(vm: *mut lcowmig_vm, done: Done, user: *mut c_void, error: Error) -> lcowmig_status;
    pub fn lcowmig_vm_terminate(vm: *mut lcowmig_vm, done: Done, user: *mut c_void, error: Error) -> lcowmig_status;
    pub fn lcowmig_vm_scsi(vm: *mut lcowmig_vm, ret: *mut *mut lcowmig_scsi, error: Error) -> lcowmig_status;
    pub fn lcowmig_scsi_slots(scsi: *mut lcowmig_scsi) -> u32;
    pub fn lcowmig_scsi_disk(scsi: *mut lcowmig_scsi, slot: u32, ret: *mut lcowmig_disk_config, error: Error) -> lcowmig_status;

    pub fn lcowmig_pod_new(
        sandbox: *mut lcowmig_sandbox,
        id: *const c_char,
        namespace_id: *const c_char,
        ret: *mut *mut lcowmig_pod,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_pod_id(pod: *mut lcowmig_pod) -> *const c_char;
    pub fn lcowmig_pod_setup_network(pod: *mut lcowmig_pod, done: Done, user: *mut c_void, error: Error) -> lcowmig_status;
    pub fn lcowmig_pod_new_container(
        pod: *mut lcowmig_pod,
        id: *const c_char,
        ret: *mut *mut lcowmig_container,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_pod_list_containers(pod: *mut lcowmig_pod, containers: *mut *mut lcowmig_container, room: usize) -> usize;
    pub fn lcowmig_container_id(container: *const lcowmig_container) -> *const c_char;
    pub fn lcowmig_container_state_name(container: *const lcowmig_container) -> *const c_char;
    pub fn lcowmig_container_create(
        container: *mut lcowmig_container,
        options: *const lcowmig_container_options,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_container_start(container: *mut lcowmig_container, done: Done, user: *mut c_void, error: Error) -> lcowmig_status;

    pub fn lcowmig_migration_prepare_source(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        options: *const c_void,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_export(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_envelope(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        ret_data: *mut *const u8,
        ret_size: *mut usize,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_import(
        migration: *mut lcowmig_migration,
        options: *const lcowmig_import_options,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_patch(
        migration: *mut lcowmig_migration,
        patch: *const lcowmig_patch,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_prepare_destination(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        options: *const c_void,
        flags: u32,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_register_socket(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        descriptor: *const u8,
        size: usize,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_transfer(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        options: *const c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_failure(migration: *mut lcowmig_migration, error: Error) -> lcowmig_status;
    pub fn lcowmig_migration_release(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        buffer: *mut u8,
        size: usize,
        ret_size: *mut usize,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_finalize(
        migration: *mut lcowmig_migration,
        session: *const c_char,
        options: *const lcowmig_finalize_options,
        done: Done,
        user: *mut c_void,
        error: Error,
    ) -> lcowmig_status;
    pub fn lcowmig_migration_cleanup(migration: *mut lcowmig_migration, session: *const c_char, error: Error) -> lcowmig_status;
}
