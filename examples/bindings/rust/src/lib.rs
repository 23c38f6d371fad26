//! A thin safe layer over libclcowmig: the host's callbacks are the methods of a trait, and every status is a `Result`.
//!
//! Hosts of this layer answer each call before it returns, so no operation is ever pending. A sandbox and everything got from it stay on one
//! thread. Only what the example needs is here; the rest of the interface follows the same shapes.

mod host;
pub mod sys;

use host::Shared;
pub use host::{Answer, Event, Hcs, Host, Reply};
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::raw::{c_char, c_void};
use std::ptr::{null, null_mut};
use std::rc::Rc;
use sys::*;

/// Why something failed: the class, the HRESULT of the host or guest that caused it (0: none), and a sentence.
#[derive(Debug, Clone)]
pub struct Error {
    pub status: i32,
    pub hresult: u32,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

/// A C string of the library as text; every one is UTF-8.
unsafe fn text(pointer: *const c_char) -> String {
    CStr::from_ptr(pointer).to_string_lossy().into_owned()
}

fn c_text(text: &str) -> CString {
    CString::new(text).expect("a text for the library has no NUL")
}

fn check(status: lcowmig_status, error: &lcowmig_error) -> Result<()> {
    match status {
        LCOWMIG_OK => Ok(()),
        LCOWMIG_PENDING => Err(Error { status, hresult: 0, message: "the operation did not end at once".into() }),
        _ => Err(Error { status, hresult: error.hresult, message: unsafe { text(error.message.as_ptr()) } }),
    }
}

/// Calls a function of the library with an error behind its arguments; `wait` also with a done callback that is never needed.
macro_rules! call {
    ($function:ident($($argument:expr),*)) => {{
        let mut error = lcowmig_error::default();
        check(unsafe { $function($($argument,)* &mut error) }, &error)
    }};
    (wait $function:ident($($argument:expr),*)) => { call!($function($($argument,)* None, null_mut())) };
}

pub fn version() -> String {
    unsafe { text(lcowmig_version()) }
}

/// What sandboxes are made in.
pub struct Context(*mut lcowmig_context);

impl Context {
    pub fn new() -> Result<Rc<Self>> {
        let mut raw = null_mut();
        call!(lcowmig_context_new(null(), null(), &mut raw))?;
        Ok(Rc::new(Self(raw)))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let status = unsafe { lcowmig_context_free(self.0) };
        debug_assert_eq!(status, LCOWMIG_OK, "every sandbox keeps its context");
    }
}

/// The disks of a container: the options of an `lcow-partitioned-layer` mount.
pub struct Rootfs {
    _texts: Vec<CString>,
    _options: Vec<*const c_char>,
    mount: lcowmig_rootfs_mount,
}

impl Rootfs {
    pub fn partitioned(options: &[&str]) -> Self {
        let texts: Vec<CString> = ["lcow-partitioned-layer", "scratch"].iter().chain(options).map(|option| c_text(option)).collect();
        let options: Vec<*const c_char> = texts[2..].iter().map(|option| option.as_ptr()).collect();
        let mount = lcowmig_rootfs_mount {
            kind: texts[0].as_ptr(),
            source: texts[1].as_ptr(),
            target: null(),
            options: options.as_ptr(),
            n_options: options.len(),
        };
        Self { _texts: texts, _options: options, mount }
    }
}

/// One virtual machine with its pods. Dropping it ends the machine.
pub struct Sandbox {
    raw: *mut lcowmig_sandbox,
    shared: *mut Shared,
    _context: Rc<Context>,
}

impl Sandbox {
    /// Without an id: one that will import.
    pub fn new(context: &Rc<Context>, id: Option<&str>, host: Box<dyn Host>) -> Result<Self> {
        let shared = Box::into_raw(Box::new(Shared::new(host)));
        let id = id.map(c_text);
        let mut raw = null_mut();
        let made = host::with_config(shared, |config| {
            config.id = id.as_ref().map_or(null(), |id| id.as_ptr());
            call!(lcowmig_sandbox_new(context.0, config, &mut raw))
        });
        if let Err(error) = made {
            drop(unsafe { Box::from_raw(shared) });
            return Err(error);
        }
        unsafe { (*shared).sandbox.set(raw) };
        Ok(Self { raw, shared, _context: Rc::clone(context) })
    }

    pub fn id(&self) -> String {
        unsafe { text(lcowmig_sandbox_id(self.raw)) }
    }

    fn vm(&self) -> *mut lcowmig_vm {
        unsafe { lcowmig_sandbox_vm(self.raw) }
    }

    pub fn start(&self, document: &str) -> Result<()> {
        call!(wait lcowmig_vm_create(self.vm(), document.as_ptr().cast(), document.len(), null()))?;
        call!(wait lcowmig_vm_start(self.vm()))
    }

    pub fn new_pod(&self, id: &str, namespace: &str) -> Result<Pod<'_>> {
        let (id, namespace) = (c_text(id), c_text(namespace));
        let mut raw = null_mut();
        call!(lcowmig_pod_new(self.raw, id.as_ptr(), namespace.as_ptr(), &mut raw))?;
        call!(wait lcowmig_pod_setup_network(raw))?;
        Ok(Pod { raw, _sandbox: self })
    }

    pub fn pods(&self) -> Vec<Pod<'_>> {
        let mut raw = vec![null_mut(); unsafe { lcowmig_sandbox_list_pods(self.raw, null_mut(), 0) }];
        unsafe { lcowmig_sandbox_list_pods(self.raw, raw.as_mut_ptr(), raw.len()) };
        raw.into_iter().map(|raw| Pod { raw, _sandbox: self }).collect()
    }

    /// Slot, path on the host and whether it is read-only, of every disk.
    pub fn disks(&self) -> Result<Vec<(u32, String, bool)>> {
        let mut scsi = null_mut();
        let mut disks = Vec::new();
        call!(lcowmig_vm_scsi(self.vm(), &mut scsi))?;
        for slot in 0..unsafe { lcowmig_scsi_slots(scsi) } {
            let mut disk = lcowmig_disk_config::default();
            if call!(lcowmig_scsi_disk(scsi, slot, &mut disk)).is_ok() {
                disks.push((slot, unsafe { text(disk.host_path) }, disk.read_only != 0));
            }
        }
        Ok(disks)
    }

    /// The guest answers a request that its host has left open (`Answer::Later`).
    pub fn guest_answers(&self, id: i64, json: &str) {
        unsafe { (*self.shared).answer(id, json) }
    }

    /// The part of a session with this id that this side plays.
    pub fn session(&self, id: &str) -> Session<'_> {
        Session { raw: unsafe { lcowmig_sandbox_migration(self.raw) }, id: c_text(id), _sandbox: self }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let freed = call!(wait lcowmig_vm_terminate(self.vm())).and_then(|()| call!(lcowmig_sandbox_free(self.raw)));
        // One that cannot be freed (a session is open) stays, and so does what its callbacks need.
        match freed {
            Ok(()) => drop(unsafe { Box::from_raw(self.shared) }),
            Err(error) => eprintln!("a sandbox is left behind: {error}"),
        }
    }
}

pub struct Pod<'a> {
    raw: *mut lcowmig_pod,
    _sandbox: &'a Sandbox,
}

impl Pod<'_> {
    pub fn id(&self) -> String {
        unsafe { text(lcowmig_pod_id(self.raw)) }
    }

    /// Makes a container, creates it and starts it.
    pub fn run(&self, id: &str, specification: &str, rootfs: &Rootfs) -> Result<()> {
        let (id, bundle) = (c_text(id), c_text("bundle"));
        let mut container = null_mut();
        let options = lcowmig_container_options {
            oci_spec: specification.as_ptr().cast(),
            oci_spec_size: specification.len(),
            rootfs: &rootfs.mount,
            n_rootfs: 1,
            bundle: bundle.as_ptr(),
            ..Default::default()
        };
        call!(lcowmig_pod_new_container(self.raw, id.as_ptr(), &mut container))?;
        call!(wait lcowmig_container_create(container, &options))?;
        call!(wait lcowmig_container_start(container))
    }

    /// Id and state of every container.
    pub fn containers(&self) -> Vec<(String, String)> {
        let mut raw = vec![null_mut(); unsafe { lcowmig_pod_list_containers(self.raw, null_mut(), 0) }];
        unsafe { lcowmig_pod_list_containers(self.raw, raw.as_mut_ptr(), raw.len()) };
        raw.into_iter().map(|raw| unsafe { (text(lcowmig_container_id(raw)), text(lcowmig_container_state_name(raw))) }).collect()
    }
}

/// One side of a migration.
pub struct Session<'a> {
    raw: *mut lcowmig_migration,
    id: CString,
    _sandbox: &'a Sandbox,
}

impl Session<'_> {
    /// Freezes the sandbox and gives its envelope.
    pub fn export(&self) -> Result<Vec<u8>> {
        let (mut data, mut size) = (null(), 0);
        call!(wait lcowmig_migration_prepare_source(self.raw, self.id.as_ptr(), null()))?;
        call!(wait lcowmig_migration_export(self.raw, self.id.as_ptr()))?;
        call!(lcowmig_migration_envelope(self.raw, self.id.as_ptr(), &mut data, &mut size))?;
        Ok(unsafe { std::slice::from_raw_parts(data, size) }.to_vec())
    }

    pub fn import(&self, sandbox_id: &str, envelope: &[u8]) -> Result<()> {
        let sandbox_id = c_text(sandbox_id);
        let options = lcowmig_import_options {
            session_id: self.id.as_ptr(),
            sandbox_id: sandbox_id.as_ptr(),
            envelope: envelope.as_ptr(),
            envelope_size: envelope.len(),
            ..Default::default()
        };
        call!(lcowmig_migration_import(self.raw, &options))
    }

    pub fn patch(&self, source_id: &str, id: &str, namespace: &str, rootfs: &Rootfs) -> Result<()> {
        let (source_id, id, namespace, bundle) = (c_text(source_id), c_text(id), c_text(namespace), c_text("bundle"));
        let patch = lcowmig_patch {
            source_container_id: source_id.as_ptr(),
            container_id: id.as_ptr(),
            rootfs: &rootfs.mount,
            n_rootfs: 1,
            bundle: bundle.as_ptr(),
            namespace_id: namespace.as_ptr(),
            ..Default::default()
        };
        call!(wait lcowmig_migration_patch(self.raw, &patch))
    }

    /// Makes the machine that will receive; disks that no patch mentions keep their paths.
    pub fn prepare_destination(&self) -> Result<()> {
        call!(wait lcowmig_migration_prepare_destination(self.raw, self.id.as_ptr(), null(), LCOWMIG_PREPARE_PATHS_SHARED))
    }

    /// Moves memory over the transport that the descriptor stands for.
    pub fn transfer(&self, descriptor: &[u8]) -> Result<()> {
        call!(wait lcowmig_migration_register_socket(self.raw, self.id.as_ptr(), descriptor.as_ptr(), descriptor.len()))?;
        call!(lcowmig_migration_transfer(self.raw, self.id.as_ptr(), null()))?;
        call!(lcowmig_migration_failure(self.raw))
    }

    /// Gives the right to run away, as a token.
    pub fn release(&self) -> Result<Vec<u8>> {
        let mut token = vec![0; LCOWMIG_TOKEN_SIZE_MAX];
        let mut size = 0;
        call!(lcowmig_migration_release(self.raw, self.id.as_ptr(), token.as_mut_ptr(), token.len(), &mut size))?;
        token.truncate(size);
        Ok(token)
    }

    pub fn resume(&self, token: &[u8]) -> Result<()> {
        self.finalize(LCOWMIG_FINALIZE_RESUME, token)
    }

    pub fn stop(&self) -> Result<()> {
        self.finalize(LCOWMIG_FINALIZE_STOP, &[])
    }

    fn finalize(&self, action: u32, token: &[u8]) -> Result<()> {
        let options = lcowmig_finalize_options {
            token: if token.is_empty() { null() } else { token.as_ptr() },
            token_size: token.len(),
            action,
            ..Default::default()
        };
        call!(wait lcowmig_migration_finalize(self.raw, self.id.as_ptr(), &options))?;
        call!(lcowmig_migration_cleanup(self.raw, self.id.as_ptr()))
    }
}

/// Passes on that the machine has ended.
unsafe fn tell_exit(sandbox: *mut lcowmig_sandbox) {
    let data = c_text("{\"Status\":0,\"ExitType\":\"GracefulExit\"}");
    let mut error = lcowmig_error::default();
    lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, data.as_ptr(), &mut error);
}

/// The user pointer of every callback.
fn user_of(shared: *mut Shared) -> *mut c_void {
    shared.cast()
}
