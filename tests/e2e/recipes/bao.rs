//! A real OpenBao.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Recipe;
use crate::pem::Authority;
use crate::support::PATIENCE;

/// A server for one test. Ends when dropped, and with the process that started it.
struct Server(Child);

impl Server {
    /// Starts a server in memory, and waits until it answers.
    fn start(recipe: &mut Recipe) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        recipe.variables = vec![("BAO_ADDR", format!("http://{free}")), ("BAO_TOKEN", "root".to_owned())];
        let log = File::create(recipe.site.path().join("bao.log")).unwrap();
        let mut bao = Command::new("setpriv");
        bao.args([
            "--pdeathsig",
            "KILL",
            "bao",
            "server",
            "-dev",
            "-dev-no-store-token",
            "-dev-root-token-id=root",
        ]);
        recipe.prepare(bao.arg(format!("-dev-listen-address={free}")));
        let child = bao.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut server = Self(child);
        server.wait(recipe);
        server
    }

    fn wait(&mut self, recipe: &Recipe) {
        let deadline = Instant::now() + PATIENCE;
        let mut status = Command::new("bao");
        recipe.prepare(status.args(["kv", "list", "-mount=secret", "/"]).stdin(Stdio::null()));
        // There is nothing to list: the status 2 says so once the engine is there, and `No value found` comes with it.
        while !String::from_utf8_lossy(&status.output().unwrap().stderr).contains("No value found") {
            assert!(
                self.0.try_wait().unwrap().is_none() && Instant::now() < deadline,
                "bao does not come up"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn bao_gives_fields_versions_and_bundles() {
    let mut recipe = Recipe::of("bao");
    let Authority { root, issuer, leaf, key } = Authority::new(&recipe.site);
    let server = Server::start(&mut recipe);
    recipe.shell(
        "cat leaf.key leaf.pem issuer.pem root.pem > bundle.pem
        bao kv put -mount=secret shop/tls bundle=@bundle.pem
        bao kv put -mount=secret shop/db user=shop password=older
        bao kv put -mount=secret shop/db user=shop password=hunter2",
    );
    recipe.publishes(&[
        ("db/user", "shop"),
        ("db/password", "hunter2"),
        ("db/old-password", "older"),
        ("tls/key.pem", &key),
        ("tls/fullchain.pem", &format!("{leaf}{issuer}{root}")),
    ]);
    recipe.shell("bao kv delete -mount=secret shop/tls");
    recipe.run("sync").expect_exit(3).expect_error(&["secret `shop/tls`"]);
    drop(server);
    recipe.run("sync").expect_exit(3).expect_error(&["`bao` failed: exit status: 2", "connection refused"]);
}
