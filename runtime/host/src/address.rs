//! Addresses of this machine: which ones reach its own servers?

use rustix::io::Errno;
use std::net::{IpAddr, UdpSocket};

/// Returns whether an address is one of this machine's own: a server there may trust local clients,
/// however public the address is. A socket can be bound to such addresses only.
#[must_use]
pub fn is_of_this_machine(address: IpAddr) -> bool {
    match UdpSocket::bind((address, 0)) {
        Ok(_) => true,
        // Any other error, such as too many open files, tells nothing.
        Err(error) => {
            let errors = [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT];
            !errors
                .iter()
                .any(|other| error.raw_os_error() == Some(other.raw_os_error()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_known() {
        for (address, is_own) in [
            ("127.0.0.1", true),
            ("127.1.2.3", true),
            ("192.0.2.7", false),
            ("2001:db8::7", false),
        ] {
            assert_eq!(
                is_of_this_machine(address.parse().unwrap()),
                is_own,
                "{address}"
            );
        }
    }
}
