//! State of the routes: which service do they call, and within which limits?

use crate::places::{Followers, Places};
use axum::extract::FromRef;
use glovebox_service::{
    AuditSearch, Config, Executions, Policies, Service, ServiceLimits, Sessions, Trees,
};
use std::sync::Arc;

/// The state that all routes share. Cheap to clone: a handler takes the part that it uses.
#[derive(Clone)]
pub(crate) struct ApiState(Arc<Shared>);

struct Shared {
    service: Arc<Service>,
    places: Arc<Places>,
    followers: Arc<Followers>,
    limits: ServiceLimits,
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl ApiState {
    /// `hosts` are the names by which clients may call the service.
    pub(crate) fn new(
        service: Arc<Service>,
        places: Arc<Places>,
        config: &Config,
        hosts: Vec<String>,
    ) -> Self {
        let limits = config.limits.clone();
        Self(Arc::new(Shared {
            places,
            followers: Followers::new(limits.followers, Arc::clone(&service.of_subjects)),
            service,
            limits,
            hosts,
            origins: config.origins.clone(),
        }))
    }

    pub(crate) fn service(&self) -> &Service {
        &self.0.service
    }

    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.0.places
    }

    pub(crate) fn followers(&self) -> &Arc<Followers> {
        &self.0.followers
    }

    pub(crate) fn limits(&self) -> &ServiceLimits {
        &self.0.limits
    }

    /// Whether the service may be called by a host name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let mut names = self.0.hosts.iter();
        names.any(|host| host.eq_ignore_ascii_case(name))
    }

    pub(crate) fn origins(&self) -> &[String] {
        &self.0.origins
    }
}

impl FromRef<ApiState> for Executions {
    fn from_ref(state: &ApiState) -> Self {
        state.service().executions.clone()
    }
}

impl FromRef<ApiState> for Sessions {
    fn from_ref(state: &ApiState) -> Self {
        state.service().sessions.clone()
    }
}

impl FromRef<ApiState> for Trees {
    fn from_ref(state: &ApiState) -> Self {
        state.service().trees.clone()
    }
}

impl FromRef<ApiState> for Policies {
    fn from_ref(state: &ApiState) -> Self {
        state.service().policies.clone()
    }
}

impl FromRef<ApiState> for AuditSearch {
    fn from_ref(state: &ApiState) -> Self {
        state.service().audit.clone()
    }
}

impl FromRef<ApiState> for Arc<Service> {
    fn from_ref(state: &ApiState) -> Self {
        Arc::clone(&state.0.service)
    }
}

impl FromRef<ApiState> for Arc<Followers> {
    fn from_ref(state: &ApiState) -> Self {
        Arc::clone(&state.0.followers)
    }
}
