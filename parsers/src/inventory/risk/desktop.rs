//! Settings of Docker Desktop that open the engine or the host to others, or show what an analyst
//! would ask next.
//!
//! The keys are those of `settings.json` (camelCase) and `settings-store.json` (PascalCase), which
//! are the same without their case; in `admin-settings.json` the value lies below `value`. What
//! Docker Desktop does unless it is told otherwise is no risk.

use super::Class::{Note, Risk};
use super::Severity::{Low, Medium};
use super::engine::without_password;
use super::{Found, Risk as Told};
use crate::formats::engine_settings::EngineSettings;

/// What macOS shares with containers from the first start on.
const SHARED_BY_DEFAULT: &[&str] = &["/Users", "/Volumes", "/private", "/tmp", "/var/folders"];

/// The risks among the settings of Docker Desktop.
#[must_use]
pub fn judge(settings: &EngineSettings) -> Vec<Told> {
    let mut found = Found::default();
    for (key, value) in settings.iter() {
        let key = key.to_ascii_lowercase();
        if !value.is_empty() {
            setting(key.strip_suffix(".value").unwrap_or(&key), value, &mut found);
        }
    }
    found.into_risks()
}

fn setting(key: &str, value: &str, found: &mut Found) {
    let is_on = value == "true";
    match key {
        "exposedockerapiontcp2375" => {
            found.add_if(is_on, (Risk, Medium), "api-on-tcp-without-tls:localhost:2375");
        }
        "filesharingdirectories" => shared(value, found),
        "synchronizeddirectories" => {
            found.add(Note, Low, &format!("synchronized-directory:{value}"));
        }
        "integratedwsldistros" => found.add(Note, Low, &format!("wsl-integration:{value}")),
        "customwsldistrodir" => found.add(Note, Low, &format!("disk-directory:{value}")),
        "overrideproxyhttp"
        | "overrideproxyhttps"
        | "containersoverrideproxyhttp"
        | "containersoverrideproxyhttps" => {
            found.add(Note, Low, &format!("proxy:{}", without_password(value)));
        }
        "disableupdate" => found.add_if(is_on, (Risk, Low), "updates-disabled"),
        "hostnetworkingenabled" => found.add_if(is_on, (Note, Low), "host-networking"),
        "kubernetesenabled" => found.add_if(is_on, (Note, Low), "kubernetes"),
        "usewindowscontainers" => found.add_if(is_on, (Note, Low), "windows-containers"),
        "containerscanmountdockersocket" | "enablecontainerdockersocket" => {
            found.add_if(is_on, (Risk, Low), "engine-socket-in-containers");
        }
        _ => {}
    }
}

/// A directory of the host that every container may mount; of Hyper-V and macOS.
fn shared(directory: &str, found: &mut Found) {
    let path = directory.trim_end_matches(['/', '\\']);
    let is_drive = path.len() == 2 && path.ends_with(':');
    if path.is_empty() || is_drive {
        found.add(Risk, Medium, &format!("shared-drive:{directory}"));
    } else if !SHARED_BY_DEFAULT.contains(&path) {
        found.add(Note, Low, &format!("shared-directory:{directory}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn risks(document: &serde_json::Value) -> Vec<String> {
        let settings = EngineSettings::from_document(document);
        judge(&settings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn settings_are_judged_in_the_case_of_each_generation() {
        let old = json!({
            "exposeDockerAPIOnTCP2375": true, "filesharingDirectories": ["C:\\", "/Users", "D:\\src"],
            "integratedWslDistros": ["Ubuntu"], "overrideProxyHttp": "http://u:p@proxy:3128",
            "customWslDistroDir": "", "disableUpdate": false, "kubernetesEnabled": true,
        });
        assert_eq!(
            risks(&old),
            [
                "low note:kubernetes",
                "low note:proxy:http://proxy:3128",
                "low note:shared-directory:D:\\src",
                "low note:wsl-integration:Ubuntu",
                "medium risk:api-on-tcp-without-tls:localhost:2375",
                "medium risk:shared-drive:C:\\",
            ]
        );
        let new = json!({"ExposeDockerAPIOnTCP2375": true, "CustomWslDistroDir": "D:\\dd", "DisableUpdate": true});
        assert_eq!(
            risks(&new),
            [
                "low note:disk-directory:D:\\dd",
                "medium risk:api-on-tcp-without-tls:localhost:2375",
                "low risk:updates-disabled",
            ]
        );
    }

    #[test]
    fn what_an_administrator_set_lies_below_value() {
        let admin = json!({"exposeDockerAPIOnTCP2375": {"locked": true, "value": true}});
        assert_eq!(risks(&admin), ["medium risk:api-on-tcp-without-tls:localhost:2375"]);
        assert_eq!(
            risks(&json!({"exposeDockerAPIOnTCP2375": {"locked": true, "value": false}})),
            [""; 0]
        );
    }
}
