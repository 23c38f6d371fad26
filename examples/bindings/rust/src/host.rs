//! The callbacks: C functions that find the host behind their user pointer and ask it.

use crate::sys::*;
use crate::{c_text, tell_exit, text, user_of, Error};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::raw::{c_char, c_void};
use std::ptr::null_mut;

/// The entries of computecore.dll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hcs {
    Create,
    Start,
    Terminate,
    Close,
    Modify,
    Properties,
    InitializeMigration,
    StartMigration,
    Transfer,
    FinalizeMigration,
    CancelMigration,
    GrantAccess,
}

/// How the compute system answers.
pub enum Reply {
    Done,
    /// Done, and this JSON is the answer.
    Text(String),
    /// Done, and the machine has ended with it.
    Exited,
}

/// How the guest answers a request.
pub enum Answer {
    Now(String),
    /// With this HRESULT as the result.
    Refused(u32),
    /// Through `Sandbox::guest_answers`.
    Later,
}

/// Task events.
pub enum Event {
    Started(String),
    Exited(String, u32),
    Other,
}

/// What a host does for a sandbox. Methods may be called from inside each other, so a host keeps what it changes in cells.
pub trait Host {
    fn hcs(&self, operation: Hcs, document: &str) -> Result<Reply, Error>;
    fn guest(&self, id: i64, message: u32, document: &str) -> Answer;
    /// The endpoints of a network namespace: a JSON array.
    fn endpoints(&self, namespace: &str) -> String;
    fn event(&self, event: Event);
}

/// What the callbacks work on.
pub(crate) struct Shared {
    host: Box<dyn Host>,
    pub(crate) sandbox: Cell<*mut lcowmig_sandbox>,
    is_connected: Cell<bool>,
    next_port: Cell<u32>,
    next_id: Cell<i64>,
    open: RefCell<HashMap<i64, Vec<*mut lcowmig_call>>>,
}

impl Shared {
    pub(crate) fn new(host: Box<dyn Host>) -> Self {
        Self {
            host,
            sandbox: Cell::new(null_mut()),
            is_connected: Cell::new(false),
            next_port: Cell::new(LCOWMIG_GCS_FIRST_PORT),
            next_id: Cell::new(1),
            open: RefCell::default(),
        }
    }

    unsafe fn of<'a>(user: *mut c_void) -> &'a Self {
        &*user.cast::<Self>()
    }

    pub(crate) unsafe fn answer(&self, id: i64, json: &str) {
        let calls = self.open.borrow_mut().remove(&id).unwrap_or_default();
        for call in calls {
            set_result(call, json);
            lcowmig_call_complete(call, LCOWMIG_OK);
        }
    }

    unsafe fn hcs(&self, call: *mut lcowmig_call, operation: Hcs, document: &str) -> lcowmig_status {
        match self.host.hcs(operation, document) {
            Ok(Reply::Done) => LCOWMIG_OK,
            Ok(Reply::Text(json)) => set_result(call, &json),
            Ok(Reply::Exited) => {
                tell_exit(self.sandbox.get());
                LCOWMIG_OK
            }
            Err(error) => {
                lcowmig_call_set_error(call, error.hresult, c_text(&error.message).as_ptr());
                LCOWMIG_E_HOST_FAILED
            }
        }
    }
}

unsafe fn set_result(call: *mut lcowmig_call, json: &str) -> lcowmig_status {
    lcowmig_call_set_result(call, json.as_ptr().cast(), json.len())
}

/// One HCS callback: what it gets behind the call, and which of that is the document.
macro_rules! hcs_callbacks {
    ($($name:ident($($argument:ident: $type:ty),*) $document:expr => $operation:ident;)*) => { $(
        unsafe extern "C" fn $name(user: *mut c_void, call: *mut lcowmig_call, $($argument: $type),*) -> lcowmig_status {
            let shared = Shared::of(user);
            lcowmig_call_set_handle(call, user);
            shared.hcs(call, Hcs::$operation, &$document)
        }
    )* };
}

hcs_callbacks! {
    create(_id: *const c_char, document: *const c_char) text(document) => Create;
    start(_system: *mut c_void, options: *const c_char, _socket: *mut c_void) text(options) => Start;
    terminate(_system: *mut c_void) "" => Terminate;
    close_system(_system: *mut c_void) "" => Close;
    modify(_system: *mut c_void, request: *const c_char) text(request) => Modify;
    properties(_system: *mut c_void, query: *const c_char) text(query) => Properties;
    initialize(_system: *mut c_void, options: *const c_char) text(options) => InitializeMigration;
    start_migration(_system: *mut c_void, options: *const c_char, _socket: *mut c_void) text(options) => StartMigration;
    transfer(_system: *mut c_void, options: *const c_char) text(options) => Transfer;
    finalize(_system: *mut c_void, options: *const c_char) text(options) => FinalizeMigration;
    cancel(_system: *mut c_void, options: *const c_char) text(options) => CancelMigration;
    grant_access(_id: *const c_char, path: *const c_char) text(path) => GrantAccess;
}

unsafe extern "C" fn prepare(_user: *mut c_void, _call: *mut lcowmig_call, _runtime: *const c_char, _port: u32) -> lcowmig_status {
    LCOWMIG_OK
}

unsafe fn connect_guest(user: *mut c_void, call: *mut lcowmig_call) -> lcowmig_status {
    Shared::of(user).is_connected.set(true);
    set_result(call, "{\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,\"DeleteContainerStateSupported\":true}}")
}

unsafe extern "C" fn connect(user: *mut c_void, call: *mut lcowmig_call, _cold: bool) -> lcowmig_status {
    connect_guest(user, call)
}

unsafe extern "C" fn resume(user: *mut c_void, call: *mut lcowmig_call) -> lcowmig_status {
    connect_guest(user, call)
}

unsafe extern "C" fn close_guest(user: *mut c_void) {
    let shared = Shared::of(user);
    let open = shared.open.take();
    shared.is_connected.set(false);
    for call in open.into_values().flatten() {
        lcowmig_call_complete(call, LCOWMIG_E_UNAVAILABLE);
    }
}

unsafe extern "C" fn is_connected(user: *mut c_void) -> bool {
    Shared::of(user).is_connected.get()
}

unsafe extern "C" fn set_migrating(_user: *mut c_void, _migrating: bool) {}

unsafe extern "C" fn rpc(
    user: *mut c_void,
    call: *mut lcowmig_call,
    message: u32,
    _container: *const c_char,
    document: *const c_char,
) -> lcowmig_status {
    let shared = Shared::of(user);
    let id = shared.next_id.replace(shared.next_id.get() + 1);
    lcowmig_call_set_request_id(call, id);
    match shared.host.guest(id, message, &text(document)) {
        Answer::Now(json) => set_result(call, &json),
        Answer::Refused(hresult) => {
            lcowmig_call_set_error(call, hresult, c_text("the guest refused").as_ptr());
            LCOWMIG_E_GUEST_FAILED
        }
        Answer::Later => adopt(user, call, id),
    }
}

unsafe extern "C" fn adopt(user: *mut c_void, call: *mut lcowmig_call, id: i64) -> lcowmig_status {
    Shared::of(user).open.borrow_mut().entry(id).or_default().push(call);
    LCOWMIG_PENDING
}

unsafe extern "C" fn next_port(user: *mut c_void) -> u32 {
    Shared::of(user).next_port.get()
}

unsafe extern "C" fn next_request_id(user: *mut c_void) -> i64 {
    Shared::of(user).next_id.get()
}

unsafe extern "C" fn allocate_port(user: *mut c_void) -> u32 {
    let port = &Shared::of(user).next_port;
    port.replace(port.get() + 1)
}

unsafe extern "C" fn raise_port(user: *mut c_void, next: u32) {
    let port = &Shared::of(user).next_port;
    port.set(port.get().max(next));
}

unsafe extern "C" fn raise_request_id(user: *mut c_void, next: i64) {
    let id = &Shared::of(user).next_id;
    id.set(id.get().max(next));
}

unsafe extern "C" fn endpoints(user: *mut c_void, call: *mut lcowmig_call, namespace: *const c_char) -> lcowmig_status {
    set_result(call, &Shared::of(user).host.endpoints(&text(namespace)))
}

/// This host relays no stdio and moves memory without a socket: a handle is all there is.
unsafe extern "C" fn open(user: *mut c_void, call: *mut lcowmig_call, _config: *mut c_void) -> lcowmig_status {
    lcowmig_call_set_handle(call, user);
    LCOWMIG_OK
}

unsafe extern "C" fn attach(_user: *mut c_void, _call: *mut lcowmig_call, _stdio: *mut c_void, _ports: *const u32) -> lcowmig_status {
    LCOWMIG_OK
}

unsafe extern "C" fn adopt_socket(user: *mut c_void, call: *mut lcowmig_call, _descriptor: *const u8, _size: usize) -> lcowmig_status {
    lcowmig_call_set_handle(call, user);
    LCOWMIG_OK
}

unsafe extern "C" fn close(_user: *mut c_void, _handle: *mut c_void) {}

unsafe extern "C" fn event(user: *mut c_void, event: *const lcowmig_event) {
    let container = text(lcowmig_event_container_id(event));
    Shared::of(user).host.event(match lcowmig_event_get_type(event) {
        LCOWMIG_EVENT_TASK_START => Event::Started(container),
        LCOWMIG_EVENT_TASK_EXIT => Event::Exited(container, lcowmig_event_exit_status(event)),
        _ => Event::Other,
    });
}

/// Lets `make` use a config with all callbacks; the library copies what it needs.
pub(crate) fn with_config<T>(shared: *mut Shared, make: impl FnOnce(&mut lcowmig_sandbox_config) -> T) -> T {
    let user = user_of(shared);
    let hcs = lcowmig_hcs_ops {
        user,
        create: Some(create),
        start: Some(start),
        terminate: Some(terminate),
        close: Some(close_system),
        modify: Some(modify),
        properties: Some(properties),
        initialize_migration: Some(initialize),
        start_migration: Some(start_migration),
        transfer: Some(transfer),
        finalize_migration: Some(finalize),
        cancel_migration: Some(cancel),
        grant_access: Some(grant_access),
        ..Default::default()
    };
    let guest = lcowmig_guest_ops {
        user,
        prepare: Some(prepare),
        connect: Some(connect),
        resume: Some(resume),
        close: Some(close_guest),
        is_connected: Some(is_connected),
        set_migrating: Some(set_migrating),
        rpc: Some(rpc),
        adopt: Some(adopt),
        next_port: Some(next_port),
        next_request_id: Some(next_request_id),
        allocate_port: Some(allocate_port),
        raise_port: Some(raise_port),
        raise_request_id: Some(raise_request_id),
        ..Default::default()
    };
    let network = lcowmig_network_ops { user, endpoints: Some(endpoints), ..Default::default() };
    let stdio = lcowmig_stdio_ops {
        user,
        open: Some(open),
        attach: Some(attach),
        close_stdin: Some(close),
        close: Some(close),
        ..Default::default()
    };
    let socket = lcowmig_socket_ops { user, adopt: Some(adopt_socket), close: Some(close), ..Default::default() };
    let events = lcowmig_event_ops { user, event: Some(event), ..Default::default() };
    make(&mut lcowmig_sandbox_config {
        hcs: &hcs,
        guest: &guest,
        network: &network,
        stdio: &stdio,
        socket: &socket,
        events: &events,
        ..Default::default()
    })
}
