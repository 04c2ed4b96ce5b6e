//! Settings of the kubelet that let others run what they like on its node.

use super::Class::Risk;
use super::Severity::{High, Medium};
use super::{Found, Risk as Told};
use crate::formats::engine_settings::EngineSettings;

/// The risks among the settings of `config.yaml`.
#[must_use]
pub fn judge(settings: &EngineSettings) -> Vec<Told> {
    let mut found = Found::default();
    let anonymous = settings.is("authentication.anonymous.enabled", true);
    found.add_if(anonymous, (Risk, High), "kubelet-anonymous");
    let open = settings.text("authorization.mode") == Some("AlwaysAllow");
    found.add_if(open, (Risk, High), "kubelet-always-allow");
    let port = settings.text("readOnlyPort").filter(|port| *port != "0").unwrap_or_default();
    found.add_if(!port.is_empty(), (Risk, Medium), &format!("kubelet-read-only-port:{port}"));
    let url = settings.text("staticPodURL").unwrap_or_default();
    found.add_if(!url.is_empty(), (Risk, Medium), &format!("static-pod-url:{url}"));
    for (key, value) in settings.iter().filter(|(key, _)| *key == "allowedUnsafeSysctls") {
        found.add(Risk, Medium, &format!("{key}:{value}"));
    }
    found.into_risks()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_may_ask_the_kubelet_is_judged() {
        let told = |document| {
            let settings = EngineSettings::from_document(&document);
            judge(&settings).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let open = json!({"authentication": {"anonymous": {"enabled": true}},
            "authorization": {"mode": "AlwaysAllow"}, "readOnlyPort": 10255});
        let expected = [
            "high risk:kubelet-always-allow",
            "high risk:kubelet-anonymous",
            "medium risk:kubelet-read-only-port:10255",
        ];
        assert_eq!(told(open), expected);
        let closed = json!({"authentication": {"anonymous": {"enabled": false}},
            "authorization": {"mode": "Webhook"}, "readOnlyPort": 0});
        assert_eq!(told(closed), [""; 0]);
    }
}
