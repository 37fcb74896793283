//! The manifests of .deploy/kubernetes keep what they promise: names, ports, paths and times are the daemon's.

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use paird_testkit::{Api, Stage, until};
use serde_norway::Value;
use tokio::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".deploy/kubernetes")
}

fn manifest(name: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    serde_norway::from_str(&text).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| match key.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[*key],
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_sequence().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value:?} is no text"))
}

async fn help(args: &[&str]) -> String {
    let mut command = Command::new(paird_testkit::paird());
    let output = command.args(args).env_clear().output().await.unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn containers() -> Vec<Value> {
    ["deployment.yaml", "migrate/job.yaml"]
        .iter()
        .flat_map(|name| list(at(&manifest(name), &["spec", "template", "spec", "containers"])).to_vec())
        .collect()
}

#[test]
fn every_manifest_is_listed_and_names_no_namespace() {
    for dir in ["", "migrate/"] {
        let listed = manifest(&format!("{dir}kustomization.yaml"));
        let listed: BTreeSet<String> = list(&listed["resources"]).iter().map(|name| text(name).to_owned()).collect();
        let files = std::fs::read_dir(folder().join(dir)).unwrap().map(|file| file.unwrap().path());
        let there: BTreeSet<String> = files
            .filter(|path| path.is_file() && !path.ends_with("kustomization.yaml"))
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(listed, there, "{dir}");
        for name in there {
            let manifest = manifest(&format!("{dir}{name}"));
            for field in [&["apiVersion"][..], &["kind"], &["metadata", "name"]] {
                assert!(at(&manifest, field).is_string(), "{name} has no {field:?}");
            }
            assert!(manifest["metadata"]["namespace"].is_null(), "{name} is bound to a namespace");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_use_settings_and_commands_that_the_program_has() {
    let (settings, commands) = (help(&["help", "serve"]).await, help(&["help"]).await);
    for container in containers() {
        let command = text(&container["args"][0]);
        assert!(commands.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}");
        let own = help(&["help", command]).await;
        for option in list(&container["args"]).iter().skip(1).map(text) {
            assert!(own.contains(option), "paird {command} has no {option}");
        }
        for variable in list(&container["env"]) {
            let name = text(&variable["name"]);
            assert!(settings.lines().any(|line| line.trim_start().starts_with(&format!("{name} "))), "{name}");
        }
    }
}

#[test]
fn pods_run_without_rights_and_write_to_their_volumes_alone() {
    for name in ["deployment.yaml", "migrate/job.yaml"] {
        let manifest = manifest(name);
        let pod = at(&manifest, &["spec", "template", "spec"]);
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        let user = pod["securityContext"]["runAsUser"].as_u64().unwrap();
        let image = std::fs::read_to_string(folder().with_file_name("Dockerfile")).unwrap();
        assert!(image.contains(&format!("USER {user}\n")), "the image's user is another");
        for container in list(&pod["containers"]) {
            let rights = &container["securityContext"];
            assert_eq!(rights["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(rights["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(rights["capabilities"]["drop"][0], "ALL", "{name}");
            for which in ["requests", "limits"] {
                assert!(container["resources"][which]["memory"].is_string(), "{name} has no {which} of memory");
            }
        }
    }
    let deployment = manifest("deployment.yaml");
    let pod = at(&deployment, &["spec", "template", "spec"]);
    let container = &pod["containers"][0];
    let volumes: BTreeSet<&str> = list(&pod["volumes"]).iter().map(|volume| text(&volume["name"])).collect();
    let mounts: BTreeSet<&str> = list(&container["volumeMounts"]).iter().map(|mount| text(&mount["name"])).collect();
    assert_eq!(volumes, mounts);
    let image = std::fs::read_to_string(folder().with_file_name("Dockerfile")).unwrap();
    let state = text(&container["volumeMounts"][0]["mountPath"]);
    assert!(image.contains(&format!("ENV PAIRD_DATA_DIR={state}\n")), "{state} is not the data directory");
}

/// Starts the daemon with the settings of the manifest, a key mounted as Kubernetes mounts it, and asks as its probes do.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_as_the_manifest_sets_it_up_answers_its_probes() {
    let deployment = manifest("deployment.yaml");
    let pod = at(&deployment, &["spec", "template", "spec"]);
    let container = &pod["containers"][0];
    let stage = Stage::empty().await;

    let keys = list(&pod["volumes"]).iter().find(|volume| volume["name"] == "keys").unwrap();
    let mode = u32::try_from(keys["secret"]["defaultMode"].as_u64().unwrap()).unwrap();
    let mounted = stage.dir.join("mounted");
    std::fs::create_dir_all(&mounted).unwrap();
    let key = mounted.join(text(&keys["secret"]["items"][0]["path"]));
    std::fs::write(&key, "paird-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    // This test's user owns the file, and only root's may be readable by a group.
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode & 0o700)).unwrap();
    assert_eq!(mode & 0o037, 0, "what the daemon refuses to read: {mode:o}");
    let place = text(at(container, &["volumeMounts", "1", "mountPath"])).to_owned();

    let mut settings = Vec::new();
    let mut port = 0;
    for variable in list(&container["env"]) {
        let name = text(&variable["name"]);
        let Some(value) = variable["value"].as_str() else { continue };
        let value = match name {
            "PAIRD_MASTER_KEY_FILE" => {
                assert_eq!(value, format!("{place}/master.key"));
                key.display().to_string()
            }
            "PAIRD_PROBE_ADDR" => {
                let (host, said) = value.rsplit_once(':').unwrap();
                port = said.parse::<u64>().unwrap();
                format!("{host}:0")
            }
            _ => value.to_owned(),
        };
        settings.push((name.to_owned(), value));
    }
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let daemon = stage.daemon(&settings).await;

    let declared = &container["ports"][0];
    assert_eq!((declared["containerPort"].as_u64(), text(&declared["name"])), (Some(port), "probes"));
    let service = manifest("service.yaml");
    assert_eq!(service["spec"]["ports"][0]["port"].as_u64(), Some(port));
    let scraped = &service["metadata"]["annotations"];
    assert_eq!(text(&scraped["prometheus.io/port"]), port.to_string());
    let paths = ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| {
        let get = &container[probe]["httpGet"];
        assert_eq!(text(&get["port"]), "probes", "{probe}");
        text(&get["path"])
    });
    let told = until("the address of the probes", || async {
        std::fs::read_to_string(stage.dir.join("daemon/probe.addr")).ok()
    })
    .await;
    let probes = Api::at(told.replace("0.0.0.0", "127.0.0.1"), &stage.dir.join("daemon/console.token"));
    for path in paths.into_iter().chain([text(&scraped["prometheus.io/path"])]) {
        probes.bare("GET", path, &[], None).await.is(200);
    }

    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    let readme = include_str!("../../.deploy/README.md");
    assert!(readme.contains("exits 0 within 10 s") && grace >= 10 + 5, "{grace} s are too short for a drain");
    let asked = Instant::now();
    assert!(daemon.terminate().await.success());
    assert!(asked.elapsed() < Duration::from_secs(grace));
    stage.finish([]).await;
}

#[test]
fn a_rollout_waits_longer_than_a_lease_and_takes_one_pod_a_time() {
    let deployment = manifest("deployment.yaml");
    let lease = humantime::parse_duration("20s").unwrap();
    assert!(include_str!("../../.deploy/README.md").contains("| `PAIRD_LEASE_TTL` | `20s` |"));
    assert!(deployment["spec"]["minReadySeconds"].as_u64().unwrap() > lease.as_secs());
    let rolling = at(&deployment, &["spec", "strategy", "rollingUpdate"]);
    assert_eq!((rolling["maxSurge"].as_u64(), rolling["maxUnavailable"].as_u64()), (Some(1), Some(0)));
    assert_eq!(manifest("poddisruptionbudget.yaml")["spec"]["maxUnavailable"].as_u64(), Some(1));
    assert!(
        deployment["spec"]["replicas"].as_u64().unwrap() > 1,
        "a disruption budget of one needs at least two replicas"
    );
}

#[test]
fn the_console_can_be_given_a_login_of_its_own() {
    let containers = containers();
    let variables = list(&containers[0]["env"]);
    let login = variables.iter().find(|variable| text(&variable["name"]) == "PAIRD_CONSOLE_DATABASE_URL");
    let reference = at(login.expect("the console's login"), &["valueFrom", "secretKeyRef"]);
    assert_eq!(text(&reference["key"]), "console-database-url");
    assert_eq!(reference["optional"].as_bool(), Some(true), "without least rights there is none");
}
