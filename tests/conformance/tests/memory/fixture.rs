//! How the suite uses the store in memory.

use super::*;

impl<const FAULT: u32> Fixture for Memory<FAULT> {
    type Provider = Self;

    async fn start() -> Self {
        Self::default()
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        self.shared.secrets.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    fn provider(&self) -> Self {
        self.clone()
    }

    fn settings(&self) -> Table {
        mood("present")
    }

    fn settings_of_no_store(&self) -> Table {
        mood("absent")
    }

    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        (FAULT != Fault::NO_HOOKS).then(|| mood("throttling"))
    }

    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        (FAULT != Fault::NO_HOOKS).then(|| mood("hanging"))
    }

    fn settings_of_counting_store(&mut self) -> Option<Table> {
        (FAULT != Fault::NO_HOOKS).then(|| mood("counting"))
    }

    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        self.shared.secrets.lock().unwrap().insert("first".to_owned(), b"first".to_vec());
        (FAULT != Fault::NO_HOOKS).then(|| mood("stalling"))
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        (FAULT != Fault::NO_HOOKS).then(|| mood("later"))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        self.put(name, value).await;
        self.shared.is_open.store(true, Ordering::Relaxed);
    }

    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        self.shared.secrets.lock().unwrap().insert("damaged".to_owned(), value.as_bytes().to_vec());
        (FAULT != Fault::NO_HOOKS).then(|| mood("damaged"))
    }

    /// It leads somewhere from the top alone.
    fn settings_with_relative_path(&mut self) -> Option<Table> {
        let mut settings = mood("present");
        settings.insert("only-beside", "proc/self");
        (FAULT != Fault::NO_HOOKS).then_some(settings)
    }

    fn base_dir(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn making_request(&mut self) -> Option<(Table, SecretRequest)> {
        Some((mood("present"), SecretRequest::new("made")))
    }

    fn most_at_once(&self) -> usize {
        self.shared.most.load(Ordering::Relaxed)
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        vec![BadSettings::new(Table::from([("mod", "present")]), "mod")]
    }

    fn skips() -> Vec<Skip> {
        match FAULT {
            Fault::SKIPPED_EMPTY_IS_ABSENT => {
                vec![Skip::new("an_empty_value_survives", "this store cannot hold an empty value")]
            }
            Fault::SKIPS_NO_RULE => vec![Skip::new("no_such_rule", "there is none")],
            _ => Vec::new(),
        }
    }
}

fn mood(mood: &str) -> Table {
    Table::from([("mood", mood)])
}
