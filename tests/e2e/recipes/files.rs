//! Tools that decrypt files: age, pass, sops.

use super::Recipe;

/// Makes a key of age, and encrypts with it.
const AGE: &str = "age-keygen -o age-key.txt 2> /dev/null\nrecipient=$(age-keygen -y age-key.txt)\n";

#[test]
fn age_gives_the_exact_bytes() {
    let recipe = Recipe::of("age");
    recipe.shell(&format!(
        "{AGE}mkdir secrets\nprintf 'hunter2\\n' | age -r $recipient -o secrets/api-token.age"
    ));
    recipe.publishes(&[("api-token", "hunter2\n")]);
    recipe.shell("rm secrets/api-token.age");
    recipe.run("sync").expect_exit(3).expect_error(&["secret `api-token`", "`age` failed: exit status: 1"]);
}

/// The agent of gpg outlives the process that has started it, and leaves its group.
struct Agent<'r>(&'r Recipe);

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        self.0.shell("gpgconf --kill all");
    }
}

#[test]
fn pass_gives_an_entry_without_its_last_newline() {
    let mut recipe = Recipe::of("pass");
    let folder = recipe.site.path().to_str().unwrap().to_owned();
    recipe.variables =
        vec![("GNUPGHOME", format!("{folder}/gpg")), ("PASSWORD_STORE_DIR", format!("{folder}/store"))];
    let _agent = Agent(&recipe);
    recipe.shell(
        "mkdir -m 700 gpg
        gpg --quiet --batch --passphrase '' --quick-gen-key shop@example.com default default never
        pass init shop@example.com
        printf 'hunter2\\n' | pass insert --multiline shop/db",
    );
    recipe.publishes(&[("db/password", "hunter2")]);
    recipe.shell("pass rm --force shop/db");
    recipe
        .run("sync")
        .expect_exit(3)
        .expect_error(&["`pass` failed: exit status: 1", "is not in the password store"]);
}

const PLAIN: &str = "db:\\n  password: hunter22222\\n  port: 5432\\n";

fn sops() -> Recipe {
    let mut recipe = Recipe::of("sops");
    let key = recipe.site.path().join("age-key.txt").to_str().unwrap().to_owned();
    recipe.variables = vec![("SOPS_AGE_KEY_FILE", key)];
    recipe.shell(&format!(
        "{AGE}printf '{PLAIN}' > plain.yaml
        sops encrypt --age $recipient plain.yaml > secrets.enc.yaml
        printf 'a\\377\\n' > plain.bin
        sops encrypt --age $recipient --output-type json plain.bin > app.keystore.enc
        rm plain.yaml"
    ));
    recipe
}

#[test]
fn sops_decrypts_documents_and_binary_files() {
    let recipe = sops();
    let ran = recipe.run("sync").expect_exit(0);
    assert!(ran.stdout.starts_with("published 3 files"), "{ran:?}");
    assert_eq!(recipe.site.read("db/password"), b"hunter22222");
    assert_eq!(recipe.site.read("db/port"), b"5432");
    assert_eq!(recipe.site.read("app.keystore"), b"a\xff\n");
}

#[test]
fn sops_says_by_its_status_what_is_wrong_and_no_value_is_shown() {
    let recipe = sops();
    recipe.run("sync").expect_exit(0);
    let before = recipe.site.fingerprint();
    // A damaged type: sops prints the decrypted value, as it cannot be read as a number.
    recipe.shell("sed -i '/password/s/type:str/type:int/' secrets.enc.yaml");
    let shown = recipe.shell("sops decrypt secrets.enc.yaml 2>&1 && exit 1 || true");
    assert!(shown.stdout.contains("hunter22222"), "{shown:?}");
    for (damage, status) in [
        ("", 25),
        ("printf 'a: 1' > secrets.enc.yaml", 1),
        ("rm secrets.enc.yaml", 100),
        (
            "cp app.keystore.enc secrets.enc.yaml; age-keygen -o other.txt 2> /dev/null; mv other.txt age-key.txt",
            128,
        ),
    ] {
        recipe.shell(damage);
        let ran = recipe.run("sync").expect_exit(3);
        let ran = ran.expect_error(&[&format!("`sops` failed: exit status: {status}")]);
        assert!(!ran.stderr.contains("hunter") && !ran.stderr.contains("standard error:"), "{ran:?}");
    }
    assert_eq!(recipe.site.fingerprint().without_folder(), before.without_folder());
}
