//! Two hosts written in Rust, in one process: a pod with one container starts on A, is exported, imported on B, looked at there, and runs on.

use clcowmig::sys::{LCOWMIG_GCS_EXECUTE_PROCESS, LCOWMIG_GCS_MODIFY_SETTINGS, LCOWMIG_GCS_WAIT_FOR_PROCESS};
use clcowmig::{version, Answer, Context, Error, Event, Hcs, Host, Reply, Result, Rootfs, Sandbox};
use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;

const NAMESPACE: &str = "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10";
const DOCUMENT: &str = r#"{"Owner":"rust","SchemaVersion":{"Major":2,"Minor":1},"VirtualMachine":{"Chipset":{"LinuxKernelDirect":{
    "KernelFilePath":"vmlinux","KernelCmdLine":"quiet -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs"}},
    "ComputeTopology":{"Memory":{"SizeInMB":16},"Processor":{"Count":1}},"Devices":{"Scsi":{"df6d0690-79e5-55b6-a5ec-c1e2f77f580a":{
    "Attachments":{"0":{"Type":"VirtualDisk","Path":"rootfs.vhd","ReadOnly":true}}}}}}}"#;
const SPECIFICATION: &str = r#"{"ociVersion":"1.1.0","process":{"user":{"uid":0,"gid":0},"args":["/pause"],"cwd":"/"},"root":{"path":"rootfs"},
    "linux":{"namespaces":[{"type":"mount"}]},"windows":{"network":{"networkNamespace":"4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"}},
    "annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-id":"web"}}"#;

/// What a migration moves: the guest's processes, and who waits for them.
#[derive(Default)]
struct Memory {
    processes: u32,
    waits: Vec<i64>,
}

/// A hypervisor and a guest that do what they are asked to.
struct Mock {
    name: &'static str,
    memory: Rc<RefCell<Memory>>,
    wire: Rc<RefCell<Option<Memory>>>,
}

impl Host for Mock {
    fn hcs(&self, operation: Hcs, document: &str) -> std::result::Result<Reply, Error> {
        let mut wire = self.wire.borrow_mut();
        Ok(match operation {
            Hcs::Properties if document.contains("CompatibilityInfo") => {
                Reply::Text(r#"{"PropertyResponses":{"CompatibilityInfo":{"Response":{"Data":"Y29tcGF0"}}}}"#.into())
            }
            Hcs::Properties => Reply::Text(r#"{"RuntimeId":"b1c2d3e4-0000-4000-8000-00000000cafe"}"#.into()),
            // Whoever finds the wire empty is the source.
            Hcs::Transfer => {
                match wire.take() {
                    Some(memory) => *self.memory.borrow_mut() = memory,
                    None => *wire = Some(self.memory.take()),
                }
                Reply::Done
            }
            Hcs::FinalizeMigration if document.contains("Stop") => Reply::Exited,
            Hcs::Terminate => Reply::Exited,
            _ => Reply::Done,
        })
    }

    fn guest(&self, id: i64, message: u32, document: &str) -> Answer {
        let mut memory = self.memory.borrow_mut();
        match message {
            LCOWMIG_GCS_EXECUTE_PROCESS => {
                memory.processes += 1;
                return Answer::Now(format!(r#"{{"Result":0,"ProcessId":{}}}"#, memory.processes));
            }
            // For ever: answered when the process ends. With a limit: it runs on.
            LCOWMIG_GCS_WAIT_FOR_PROCESS if document.contains(r#""TimeoutInMs":4294967295"#) => {
                memory.waits.push(id);
                return Answer::Later;
            }
            LCOWMIG_GCS_WAIT_FOR_PROCESS => return Answer::Refused(0xc037_0109),
            LCOWMIG_GCS_MODIFY_SETTINGS if document.contains(r#""ResourceType":"Network""#) => {
                let what = if document.contains(r#""RequestType":"Remove""#) { "loses" } else { "gets" };
                println!("{}: the guest {what} a NIC", self.name);
            }
            _ => {}
        }
        Answer::Now(r#"{"Result":0}"#.into())
    }

    fn endpoints(&self, _namespace: &str) -> String {
        r#"[{"ID":"f7b5d1a0-2f3e-4b6c-8d9e-112233445566","Name":"eth0","MacAddress":"00-15-5D-01-02-03",
            "IpConfigurations":[{"IpAddress":"10.244.1.7","PrefixLength":24}]}]"#
            .into()
    }

    fn event(&self, event: Event) {
        match event {
            Event::Started(container) => println!("{}: {container} has started", self.name),
            Event::Exited(container, status) => println!("{}: {container} has ended with {status}", self.name),
            Event::Other => {}
        }
    }
}

fn print(name: &str, sandbox: &Sandbox) -> Result<()> {
    println!("{name}: sandbox {}", sandbox.id());
    for pod in sandbox.pods() {
        println!("{name}:   pod {}", pod.id());
        for (container, state) in pod.containers() {
            println!("{name}:     container {container}, {state}");
        }
    }
    for (slot, path, is_read_only) in sandbox.disks()? {
        println!("{name}:   disk {slot}: {path}{}", if is_read_only { ", read-only" } else { "" });
    }
    Ok(())
}

fn run() -> Result<()> {
    let wire = Rc::new(RefCell::new(None));
    let mock = |name| Mock { name, memory: Rc::default(), wire: Rc::clone(&wire) };
    let (mock_a, mock_b) = (mock("A"), mock("B"));
    let memory_b = Rc::clone(&mock_b.memory);
    let a = Sandbox::new(&Context::new()?, Some("sandbox-a"), Box::new(mock_a))?;
    let b = Sandbox::new(&Context::new()?, None, Box::new(mock_b))?;

    a.start(DOCUMENT)?;
    a.new_pod("web", NAMESPACE)?.run(
        "web",
        SPECIFICATION,
        &Rootfs::partitioned(&["scratch=scratch.vhdx", r#"parent-partitioned-layers=[{"Path":"layers.vhd","Partition":1}]"#]),
    )?;
    let (source, destination) = (a.session("move"), b.session("move"));
    let envelope = source.export()?;

    // Half an envelope is refused and changes nothing; the whole one is taken afterwards.
    match destination.import("sandbox-b", &envelope[..envelope.len() / 2]) {
        Ok(()) => panic!("half an envelope was taken"),
        Err(error) => println!("half of it: {error}"),
    }
    destination.import("sandbox-b", &envelope)?;
    destination.patch(
        "web",
        "web-b",
        NAMESPACE,
        &Rootfs::partitioned(&["scratch=b/scratch.vhdx", r#"parent-partitioned-layers=[{"Path":"b/layers.vhd","Partition":1}]"#]),
    )?;
    print("B", &b)?;

    destination.prepare_destination()?;
    source.transfer(b"wire")?;
    destination.transfer(b"wire")?;
    destination.resume(&source.release()?)?;
    source.stop()?;
    let wait = memory_b.borrow().waits[0];
    b.guest_answers(wait, r#"{"Result":0,"ExitCode":7}"#);
    Ok(())
}

fn main() -> ExitCode {
    println!("libclcowmig {}", version());
    match run() {
        Ok(()) => {
            println!("consumer: ok");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("move-pod: {error}");
            ExitCode::FAILURE
        }
    }
}
