//! What cannot be exported.

use crate::refused;

#[test]
fn everything_that_cannot_be_exported_is_told_at_once() {
    let flow = "jtype: Flow
executors:
  - {name: a, uses: MyExecutor}
  - {name: b, uses: 'jinaai://me/Thing'}
  - {name: c_1, uses: 'docker://c:1'}
  - {name: c, uses: 'docker://c:1', shards: 2}
  - {name: d, uses: 'docker://d:1', protocol: http}
";
    let want = [
        "executor `a` runs `MyExecutor`, which is in no image: write `uses: docker://IMAGE`, or name the image \
         that knows it with --executor-image",
        "executor `b` runs `jinaai://me/Thing`, and the Hub is not asked for its image: write `uses: docker://IMAGE`",
        "executor `d` does not speak GRPC, so that the gateway cannot call it",
        "`c-1` and `c_1` would both be called `c-1`",
    ];
    refused(flow, &["kubernetes"], &want);
    refused(flow, &["docker-compose"], &want);
}

#[test]
fn names_are_checked() {
    let flow = "jtype: Flow\nwith: {name: my shop}\nexecutors:\n  - {name: a, uses: 'docker://a:1'}\n";
    refused(
        flow,
        &[
            "kubernetes",
            "--autoscale",
            "b=1-2",
            "--requests",
            "c=1/1Gi",
            "--executor-tls-secrets",
            "gateway=x",
        ],
        &[
            "`my shop` is no name for a Kubernetes namespace: small letters, digits and `-`, at most 63 of them",
            "--autoscale: the Flow has no deployment `b`",
            "--requests: the Flow has no deployment `c`",
            "--executor-tls-secrets: the Flow has no deployment `gateway`",
        ],
    );
}
