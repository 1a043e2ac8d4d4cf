//! Which continuous integration service a process runs in.

/// How a service shows itself.
enum Marker {
    /// Any of these variables is set.
    Set(&'static [&'static str]),
    /// A variable has this value.
    Is(&'static str, &'static str),
}

use Marker::{Is, Set};

/// The first that fits counts.
const VENDORS: [(&str, Marker); 36] = [
    ("APPVEYOR", Set(&["APPVEYOR"])),
    ("AZURE_PIPELINES", Set(&["SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"])),
    ("APPCIRCLE", Set(&["AC_APPCIRCLE"])),
    ("BAMBOO", Set(&["bamboo_planKey"])),
    ("BITBUCKET", Set(&["BITBUCKET_COMMIT"])),
    ("BITRISE", Set(&["BITRISE_IO"])),
    ("BUDDY", Set(&["BUDDY_WORKSPACE_ID"])),
    ("BUILDKITE", Set(&["BUILDKITE"])),
    ("CIRCLE", Set(&["CIRCLECI"])),
    ("CIRRUS", Set(&["CIRRUS_CI"])),
    ("CODEBUILD", Set(&["CODEBUILD_BUILD_ARN"])),
    ("CODEFRESH", Set(&["CF_BUILD_ID"])),
    ("CODESHIP", Is("CI_NAME", "codeship")),
    ("DRONE", Set(&["DRONE"])),
    ("DSARI", Set(&["DSARI"])),
    ("GITHUB_ACTIONS", Set(&["GITHUB_ACTIONS"])),
    ("GITLAB", Set(&["GITLAB_CI"])),
    ("GOCD", Set(&["GO_PIPELINE_LABEL"])),
    ("LAYERCI", Set(&["LAYERCI"])),
    ("HUDSON", Set(&["HUDSON_URL"])),
    ("JENKINS", Set(&["JENKINS_URL", "BUILD_ID"])),
    ("MAGNUM", Set(&["MAGNUM"])),
    ("NETLIFY", Set(&["NETLIFY"])),
    ("NEVERCODE", Set(&["NEVERCODE"])),
    ("RENDER", Set(&["RENDER"])),
    ("SAIL", Set(&["SAILCI"])),
    ("SEMAPHORE", Set(&["SEMAPHORE"])),
    ("SCREWDRIVER", Set(&["SCREWDRIVER"])),
    ("SHIPPABLE", Set(&["SHIPPABLE"])),
    ("SOLANO", Set(&["TDDIUM"])),
    ("STRIDER", Set(&["STRIDER"])),
    ("TASKCLUSTER", Set(&["TASK_ID", "RUN_ID"])),
    ("TEAMCITY", Set(&["TEAMCITY_VERSION"])),
    ("TRAVIS", Set(&["TRAVIS"])),
    ("VERCEL", Set(&["NOW_BUILDER"])),
    ("APPCENTER", Set(&["APPCENTER_BUILD_ID"])),
];

/// The service whose marker is in the environment that `variable` reads.
pub(super) fn vendor(variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let fits = |marker: &Marker| match marker {
        Set(names) => names.iter().any(|name| variable(name).is_some()),
        Is(name, value) => variable(name).is_some_and(|found| found == *value),
    };
    VENDORS.iter().find(|(_, marker)| fits(marker)).map(|(vendor, _)| *vendor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_marker_counts() {
        let check = |environment: &[(&str, &str)], want: Option<&str>| {
            let variable = |name: &str| {
                environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(vendor(variable), want, "{environment:?}");
        };
        check(&[], None);
        check(&[("RUN_ID", "1")], Some("TASKCLUSTER"));
        check(&[("CI_NAME", "other")], None);
        check(&[("CI_NAME", "codeship")], Some("CODESHIP"));
        check(&[("TRAVIS", "true"), ("GITHUB_ACTIONS", "true")], Some("GITHUB_ACTIONS"));
    }
}
