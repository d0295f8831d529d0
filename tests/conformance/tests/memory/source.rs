//! What the source answers, with its fault.

use super::*;

#[async_trait]
impl<const FAULT: u32> SecretSource for Source<FAULT> {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        let strict = FAULT == Fault::STRICT_NAMES && request.name().contains('-');
        if strict || (FAULT != Fault::ANY_NAME && request.name().is_empty()) {
            return Err(SourceError::new(SourceErrorKind::InvalidRequest));
        }
        if FAULT != Fault::ANY_VERSION && request.version().is_some() {
            return Err(SourceError::new(SourceErrorKind::Unsupported));
        }
        Ok(())
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        let refused = |kind| Err(SourceError::new(kind).with_cause("no such prefix"));
        match FAULT {
            Fault::PREFIX_NOT_OFFLINE => drop(tokio::runtime::Handle::current()),
            Fault::REFUSES_WHAT_IT_LISTS if prefix.is_empty() => {
                return refused(SourceErrorKind::InvalidRequest);
            }
            Fault::REFUSED_IS_OTHER => return refused(SourceErrorKind::Other),
            Fault::REFUSES_TWO_WAYS => return refused(SourceErrorKind::InvalidRequest),
            Fault::CANNOT_LIST => return refused(SourceErrorKind::Unsupported),
            _ => {}
        }
        Ok(())
    }

    async fn fetch(&self, context: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        if FAULT == Fault::STUCK_WHEN_DROPPED_LATE {
            yields(150).await;
        }
        let stuck = matches!(FAULT, Fault::STUCK_WHEN_DROPPED | Fault::STUCK_WHEN_DROPPED_LATE);
        busy_while(stuck, &self.0.busy).await?;
        busy_while(FAULT == Fault::SHARED_STATE, &self.0.shared.busy).await?;
        if let Some(error) = self.bad_mood().await {
            return Err(error);
        }
        if self.0.mood == Mood::Stalling && request.name() == "second" {
            return pending().await;
        }
        if FAULT == Fault::CLOSED_FOR_GOOD && self.0.is_closed.load(Ordering::Relaxed) {
            return Err(SourceError::new(SourceErrorKind::Unavailable).with_cause("closed"));
        }
        if self.0.mood == Mood::Present && request.name() == "made" {
            return Ok(self.make());
        }
        let secret = self.find(context, request.name());
        if FAULT == Fault::STORED_IS_LEASED { secret.map(|secret| secret.with_lease("x")) } else { secret }
    }

    fn issues(&self, request: &SecretRequest) -> bool {
        Self::makes(request)
    }

    async fn refresh(
        &self,
        _: &RunContext,
        _: &SecretRequest,
        held: &Held,
    ) -> Result<Refreshed, SourceError> {
        Ok(self.refreshed(held))
    }

    async fn release(&self, _: &RunContext, leases: &[String]) -> Result<(), SourceError> {
        let again = self.0.is_released.swap(!leases.is_empty(), Ordering::Relaxed);
        if FAULT == Fault::RELEASES_ONCE && again {
            return Err(SourceError::new(SourceErrorKind::Other).with_cause("no such lease"));
        }
        Ok(())
    }

    async fn close(&self, _: &RunContext) {
        self.0.is_closed.store(true, Ordering::Relaxed);
    }

    async fn fetch_all(&self, context: &RunContext, requests: &[SecretRequest], answers: &Answers) {
        let at_once = match self.0.mood {
            Mood::Counting if FAULT == Fault::FLOODS => requests.len(),
            Mood::Counting | Mood::Stalling => context.concurrency().get(),
            _ => 1,
        };
        let mut all = Vec::new();
        for chunk in requests.chunks(at_once) {
            let fetches = chunk.iter().map(|request| async move {
                let answer = self.fetch(context, request).await;
                let position = requests.iter().position(|other| other == request).unwrap_or_default();
                match FAULT {
                    Fault::OUT_OF_ORDER => answers.put(requests.len() - 1 - position, answer),
                    Fault::MIXES_UP => answers.put(position + 1, answer),
                    Fault::ALL_OR_NOTHING | Fault::ANSWERS_AT_THE_END => return Some((position, answer)),
                    _ => answers.put(position, answer),
                }
                None
            });
            all.extend(join_all(fetches).await.into_iter().flatten());
        }
        if FAULT == Fault::ALL_OR_NOTHING && all.iter().any(|(_, answer)| answer.is_err()) {
            all.truncate(1);
        }
        all.into_iter().for_each(|(position, answer)| answers.put(position, answer));
    }

    async fn list(&self, _: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        let failed = |kind, cause: &str| Err(SourceError::new(kind).with_cause(cause));
        if self.0.mood != Mood::Present && FAULT != Fault::LISTS_NO_STORE {
            let shown = if FAULT == Fault::SHOWN_BY_LISTING { "Zq7Wx4Kv2Tm8Ph5Rd9Lc" } else { "no store" };
            let kind = match FAULT {
                Fault::NO_LISTING_IS_NOT_FOUND => SourceErrorKind::NotFound,
                _ => SourceErrorKind::Unavailable,
            };
            return failed(kind, shown);
        }
        let below = |name: &&String| FAULT == Fault::LISTS_ALL || name.starts_with(prefix);
        let mut names: Vec<_> = self.0.shared.secrets.lock().unwrap().keys().filter(below).cloned().collect();
        match FAULT {
            Fault::CANNOT_LIST | Fault::REFUSES_TWO_WAYS => {
                return failed(SourceErrorKind::Unsupported, "cannot list");
            }
            Fault::LISTING_IS_OTHER => return failed(SourceErrorKind::Other, "cannot list"),
            Fault::NOTHING_TO_LIST_IS_AN_ERROR if names.is_empty() => {
                return failed(SourceErrorKind::NotFound, "nothing there");
            }
            Fault::LISTS_A_PAGE => names.truncate(10),
            Fault::LISTS_TWICE => names.extend(names.first().cloned()),
            _ => {}
        }
        Ok(names.into_iter().map(Listed::new).collect())
    }
}
